"""Answers as a broken or hostile server gives them. Pure."""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import chain, repeat
from typing import Literal, assert_never

from exchanges.paper.faults import RequestFault

Spoiling = Literal[
    RequestFault.MALFORMED_JSON,
    RequestFault.NOT_JSON,
    RequestFault.EMPTY_BODY,
    RequestFault.WRONG_TYPE,
    RequestFault.TRUNCATED_BODY,
    RequestFault.HUGE_BODY,
    RequestFault.GZIP_BOMB,
    RequestFault.SLOW_BODY,
]
MEGABYTE = b" " * 2**20
HUGE_MEGABYTES = 64
BOMB_MEGABYTES = 256
APOLOGY = b"<html><body><h1>Something went wrong</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: status, headers with names in lower case, body."""

    status: int
    headers: Mapping[bytes, bytes]
    body: bytes


@dataclass(frozen=True, slots=True)
class Transmission:
    """An answer on its way: its body in pieces, `pause` seconds apart.

    The connection is cut behind the last piece where `is_cut` says so.
    """

    status: int
    headers: Mapping[bytes, bytes]
    pieces: Iterable[bytes]
    pause: float = 0
    is_cut: bool = False


def spoil(kind: Spoiling, answer: Answer, *, pause: float) -> Transmission:
    """The answer with something wrong; `pause` is for slow bodies.

    Huge bodies and bombs are JSON that ends in white space, so that nothing but their size is
    wrong.
    """
    whole = Transmission(answer.status, answer.headers, [answer.body])
    match kind:
        case RequestFault.MALFORMED_JSON:
            return _with_body(whole, answer.body[:-1])
        case RequestFault.NOT_JSON:
            return _with_body(_typed(whole, b"text/html"), APOLOGY)
        case RequestFault.EMPTY_BODY:
            return _with_body(whole, b"")
        case RequestFault.WRONG_TYPE:
            return _typed(whole, b"text/html")
        case RequestFault.TRUNCATED_BODY:
            return replace(whole, pieces=[answer.body[: len(answer.body) // 2]], is_cut=True)
        case RequestFault.HUGE_BODY:
            huge = chain([answer.body], repeat(MEGABYTE, HUGE_MEGABYTES))
            return replace(_unmeasured(whole), pieces=huge)
        case RequestFault.GZIP_BOMB:
            return _bomb(whole, answer.body)
        case RequestFault.SLOW_BODY:
            drops = (answer.body[at : at + 1] for at in range(len(answer.body)))
            return replace(whole, pieces=drops, pause=pause)
    assert_never(kind)


def _bomb(whole: Transmission, body: bytes) -> Transmission:
    pieces = chain([_gzip(body)], repeat(_gzip(MEGABYTE), BOMB_MEGABYTES))
    bomb = replace(_unmeasured(whole), pieces=pieces)
    return replace(bomb, headers={**bomb.headers, b"content-encoding": b"gzip"})


def _with_body(answer: Transmission, body: bytes) -> Transmission:
    length = {b"content-length": b"%d" % len(body)}
    return replace(answer, headers={**answer.headers, **length}, pieces=[body])


def _typed(answer: Transmission, kind: bytes) -> Transmission:
    return replace(answer, headers={**answer.headers, b"content-type": kind})


def _unmeasured(answer: Transmission) -> Transmission:
    headers = {name: value for name, value in answer.headers.items() if name != b"content-length"}
    return replace(answer, headers=headers)


def _gzip(data: bytes) -> bytes:
    """One member of a gzip stream, of which there may be many in a row (RFC 1952)."""
    return zlib.compress(data, wbits=31)
