"""A way to PostgreSQL that loses the reply to a COMMIT when it is told to, and cuts the line.

`python -m tests.crash.proxy LISTEN_PORT SERVER_PORT`. A client tells it in a query of its own
(`strikes.LOSE_COMMIT` and a number n): its n-th COMMIT from there on is executed, and nobody
hears of it.
"""

import asyncio
import re
import sys
from asyncio import StreamReader, StreamWriter

ORDER = re.compile(rb"crash: lose COMMIT (\d)")
COMMIT = b"COMMIT\0"
CHUNK = 65_536


class Line:
    """One connection of a client, and its own to the server."""

    def __init__(self) -> None:
        self.commits_to_go = 0
        self.is_losing = False

    def hears(self, data: bytes) -> None:
        """Look at what the client says."""
        if order := ORDER.search(data):
            self.commits_to_go = int(order[1])
        elif self.commits_to_go and COMMIT in data:
            self.commits_to_go -= 1
            self.is_losing = not self.commits_to_go


async def serve(listen: int, server: int) -> None:
    """Serve until killed."""

    async def connected(reader: StreamReader, writer: StreamWriter) -> None:
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", server)
        except OSError:
            writer.close()
            return
        line = Line()
        ways = [
            asyncio.create_task(_to_server(line, reader, up_writer)),
            asyncio.create_task(_to_client(line, up_reader, writer)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        for end in (writer, up_writer):
            end.transport.abort()

    listener = await asyncio.start_server(connected, "127.0.0.1", listen)
    await listener.serve_forever()


async def _to_server(line: Line, reader: StreamReader, writer: StreamWriter) -> None:
    while data := await reader.read(CHUNK):
        line.hears(data)
        writer.write(data)
        await writer.drain()


async def _to_client(line: Line, reader: StreamReader, writer: StreamWriter) -> None:
    while data := await reader.read(CHUNK):
        if line.is_losing:
            if COMMIT in data:
                return
            continue
        writer.write(data)
        await writer.drain()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2])))
