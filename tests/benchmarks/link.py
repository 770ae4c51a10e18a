"""A TCP proxy as a long line: `python -m tests.benchmarks.link LISTEN_PORT PORT ROUND_TRIP_MS`.

What is read is written half a round trip later, in either direction, however much is under way.
"""

import asyncio
import socket
import sys
from asyncio import StreamReader, StreamWriter

CHUNK = 65_536


async def serve(listen: int, port: int, delay: float) -> None:
    """Serve until killed; `delay` in seconds, each way."""

    async def connected(reader: StreamReader, writer: StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        for one in (writer, far_writer):
            one.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.gather(carry(reader, far_writer, delay), carry(far_reader, writer, delay))

    server = await asyncio.start_server(connected, "127.0.0.1", listen)
    async with server:
        await server.serve_forever()


async def carry(reader: StreamReader, writer: StreamWriter, delay: float) -> None:
    """One direction, until its end."""
    loop = asyncio.get_running_loop()
    while data := await reader.read(CHUNK):
        loop.call_later(delay, writer.write, data)
    loop.call_later(delay, writer.close)


if __name__ == "__main__":
    listen, port, round_trip = map(int, sys.argv[1:])
    asyncio.run(serve(listen, port, round_trip / 2000))
