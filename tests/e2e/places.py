"""Every place in which a running platform keeps or shows something, and a search through them."""

import base64
import json
from collections.abc import Iterator

import psycopg
import redis
import requests

from axisor.up.ports import Ports
from axisor.up.postgres import Postgres
from axisor.up.valkey import Valkey
from tests.e2e.operator import TIMEOUT_SECONDS, Operator
from tests.e2e.trader import Trader
from tests.running import Platform

FLOWER = ("/", "/workers", "/tasks", "/broker", "/metrics", "/api/queues/length", "/api/task/types")
LEDGER = "paper"
"""The folder of the paper exchange, who gave out the credentials and has to know them."""


class Places:
    """One running platform, looked through as one of its traders sees it and as root does."""

    def __init__(self, platform: Platform, trader: Trader) -> None:
        self._platform = platform
        self._trader = trader
        self._operator = Operator(platform)
        self._secrets = json.loads((platform.folder / "secrets.json").read_text())
        self._ports = Ports(platform.port)

    def with_any_of(self, secrets: list[str]) -> dict[str, list[str]]:
        """Where one of them lies, in whatever form: place to names of its parts."""
        needles = [needle for secret in secrets for needle in forms(secret)]
        found: dict[str, list[str]] = {}
        for place, name, content in self._contents():
            if any(needle in content for needle in needles):
                found.setdefault(place, []).append(name)
        return found

    def valkey(self) -> "redis.Redis":
        """A client of the platform's Valkey."""
        folder, password = self._platform.folder, self._secrets["valkey_password"]
        return redis.Redis.from_url(Valkey(folder, self._ports.valkey, password).url)

    def _contents(self) -> Iterator[tuple[str, str, bytes]]:
        places = {
            "database": self._database(),
            "valkey": self._valkey(),
            "files": self._files(),
            "flower": self._flower(),
            "admin": self._admin(),
            "api": self._api(),
        }
        for place, parts in places.items():
            for name, content in parts:
                yield place, name, content

    def _database(self) -> Iterator[tuple[str, bytes]]:
        """Every row of every table as text, in which bytes are hexadecimal."""
        folder, password = self._platform.folder, self._secrets["postgres_password"]
        url = Postgres(folder, self._ports.postgres, password).url
        with psycopg.connect(url) as connection:
            tables = connection.execute(
                "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables"
                " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
            ).fetchall()
            assert len(tables) > 10
            for (table,) in tables:
                rows = connection.execute(f"SELECT t::text FROM {table} t").fetchall()  # noqa: S608
                yield table, "\n".join(row for (row,) in rows).encode()

    def _valkey(self) -> Iterator[tuple[str, bytes]]:
        """Every key with its value, of any type."""
        with self.valkey() as client:
            for key in client.scan_iter(count=1000):
                yield key.decode(), key + value_of(client, key)

    def _files(self) -> Iterator[tuple[str, bytes]]:
        """Every file of the data folder, logs, append-only files and tables too."""
        folder = self._platform.folder
        for path in [self._platform.folder.parent / "terminal", *folder.rglob("*")]:
            if path.is_file() and path.parent != folder / LEDGER:
                yield path.name, path.read_bytes()

    def _flower(self) -> Iterator[tuple[str, bytes]]:
        """Its pages, its API, and the page of each worker and task."""
        login = ("operator", self._secrets["operator_password"])

        def read(path: str) -> bytes:
            url = f"{self._platform.run['flower']}{path}"
            answer = requests.get(url, auth=login, timeout=TIMEOUT_SECONDS)
            assert answer.ok, path
            return answer.content

        workers, tasks = read("/api/workers?refresh=1"), read("/api/tasks")
        yield "/api/workers", workers
        yield "/api/tasks", tasks
        for path in FLOWER:
            yield path, read(path)
        for worker in json.loads(workers):
            yield worker, read(f"/worker/{worker}")
        for task in list(json.loads(tasks))[:5]:
            yield task, read(f"/task/{task}") + read(f"/api/task/info/{task}")

    def _admin(self) -> Iterator[tuple[str, bytes]]:
        account = f"/admin/accounts/exchangeaccount/{self._trader.account_id}"
        for path, page in self._operator.pages(f"{account}/change/", f"{account}/history/").items():
            yield path, page.encode()

    def _api(self) -> Iterator[tuple[str, bytes]]:
        """What the trader is answered, good and bad, with the headers."""
        account = f"accounts/{self._trader.account_id}/"
        paths = ("accounts/", account, "automations/", "executions/", "schema/", "docs/")
        asked = [("GET", path, None) for path in paths] + [("OPTIONS", account, None)]
        again = self._trader.words
        wrong = {**again, "secret": again["secret"] + "\n"}
        asked += [("POST", "accounts/", body) for body in (again, wrong, {**again, "exchange": ""})]
        for method, path, body in asked:
            answer = self._trader.ask(method, path, body)
            yield f"{method} {path}", answer.content + str(answer.headers).encode()


def forms(secret: str) -> set[bytes]:
    """A secret as it stands, in hexadecimal, and in base64 wherever in a text it begins."""
    raw = secret.encode()
    encoded = {shifted(raw, offset) for offset in range(3)}
    return {raw, raw.hex().encode(), raw.hex().upper().encode(), *encoded}


def shifted(raw: bytes, offset: int) -> bytes:
    """The base64 characters that `raw` alone decides, `offset` bytes after a multiple of three."""
    encoded = base64.b64encode(bytes(offset) + raw)
    return encoded[-(-offset * 8 // 6) : (offset + len(raw)) * 8 // 6]


def value_of(client: "redis.Redis", key: bytes) -> bytes:
    """The value of a key, of whatever type, and its parts one after the other."""
    readers = {
        b"string": lambda: [client.get(key)],
        b"list": lambda: client.lrange(key, 0, -1),
        b"set": lambda: client.smembers(key),
        b"zset": lambda: client.zrange(key, 0, -1),
        b"hash": lambda: [part for pair in client.hgetall(key).items() for part in pair],
        b"none": list,
    }
    return b"\n".join(readers[client.type(key)]())
