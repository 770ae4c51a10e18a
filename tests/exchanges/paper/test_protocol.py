"""HTTP as clients of LN Markets speak it, down to the bytes."""

import socket
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
import requests

from exchanges.paper.server import MAX_BODY_BYTES
from tests.exchanges.paper.trader import ISOLATED, TIMEOUT_SECONDS

TRADE = f"{ISOLATED}/trade"
ORDER = '{"side":"buy","type":"market","leverage":10,"quantity":1}'


@pytest.fixture
def connection(shared_paper):
    connection = HTTPConnection(urlsplit(shared_paper.origin).netloc, timeout=TIMEOUT_SECONDS)
    yield connection
    connection.close()


def test_chunked_bodies(stranger):
    answer = stranger.send("POST", TRADE, body=ORDER, chunked=True)
    assert answer.json()["quantity"] == 1


def test_empty_posts_have_a_length_and_no_type(connection, stranger):
    path = f"{ISOLATED}/trades/cancel-all"
    connection.request("POST", f"/v3{path}", headers=stranger.headers("POST", path))
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, b"[]")


def test_one_connection_serves_many_requests(connection):
    for _ in range(3):
        connection.request("GET", "/v3/ping")
        assert connection.getresponse().read() == b'"pong"'
        port = connection.sock.getsockname()
    assert connection.sock.getsockname() == port


@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        pytest.param("GET", "/v3/oracle/index", 404, b"Not found", id="unknown"),
        pytest.param("GET", "/v2/futures", 404, b"Not found", id="another version"),
        pytest.param("GET", "/v1", 404, b"Not found", id="the stream without an upgrade"),
        pytest.param("DELETE", "/v3/ping", 405, b"Method Not Allowed", id="wrong method"),
        pytest.param("GET", f"/v3{TRADE}", 405, b"Method Not Allowed", id="no single trade"),
        pytest.param("HEAD", "/v3/ping", 200, b"", id="head"),
    ],
)
def test_routes_and_methods(connection, method, path, status, body):
    connection.request(method, path)
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (status, body)


@pytest.mark.parametrize("path", [f"/v3{TRADE}", "/control/price"])
@pytest.mark.parametrize("chunked", [False, True], ids=["told", "chunked"])
def test_bodies_too_large(shared_paper, path, chunked):
    body = b" " * (MAX_BODY_BYTES + 1)
    answer = requests.post(
        shared_paper.origin + path,
        data=iter([body]) if chunked else body,
        headers={"Content-Type": "application/json"},
        timeout=TIMEOUT_SECONDS,
    )
    assert answer.status_code == 413


def test_what_is_no_http_is_refused_and_harms_nobody(shared_paper, connection):
    address = urlsplit(shared_paper.origin)
    with socket.create_connection((address.hostname, address.port), TIMEOUT_SECONDS) as raw:
        raw.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 400")
    connection.request("GET", "/v3/ping")
    assert connection.getresponse().status == 200
