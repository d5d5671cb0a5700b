"""How much of a request we are willing to read, packed and unpacked.

A body is read and unpacked before anything else looks at it, so that a gzip bomb costs a
little time and a bounded amount of memory, and no route ever sees half of one.
"""

import asyncio
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import zstandard
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from opsroom.gateway.completions.errors import PREFIX, refusal
from opsroom.kit.errors import Invalid, OpsroomError, TooLarge
from opsroom.web.errors import error_response

MEGABYTE = 1024 * 1024
STEP = 64 * 1024
# A block of zstd is at least three bytes and unpacks to 128 kB at most.
ZSTD_STEP = 384
ZSTD_WINDOW = 8 * MEGABYTE
CREDENTIALS = ("authorization", "cookie", "api_key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`anonymous` is for requests that carry no credential: a login is small."""

    packed: int = 16 * MEGABYTE
    unpacked: int = 64 * MEGABYTE
    ratio: int = 100
    anonymous: int = 64 * 1024


@dataclass(eq=False)
class BodyTooLarge(TooLarge):
    code = "body_too_large"
    text = "the request is larger than {0.limit} bytes"
    hint = "send it in parts, or packed with gzip or zstd"
    limit: int


@dataclass(eq=False)
class BodyUnpacksTooLarge(TooLarge):
    code = "body_unpacks_too_large"
    text = "the packed request unpacks to more than {0.limit} bytes"
    hint = "send it in parts; a body may unpack to at most 100 times its size"
    limit: int


@dataclass(eq=False)
class BodyBroken(Invalid):
    code = "body_broken"
    text = "the packed body of the request is broken: {0.why}"
    hint = "pack it again; `gzip -t` and `zstd -t` tell whether a file is whole"
    why: str


@dataclass(eq=False)
class UnknownEncoding(Invalid):
    code = "unknown_encoding"
    status = 415
    text = "a request body in the encoding {0.encoding!r} is not understood"
    hint = "send it as it is, or packed with gzip or zstd"
    encoding: str


class LimitBodies:
    """Hands on requests with their body read and unpacked; refuses those beyond `limits`."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        # HTTP/2 announces no length, so a body is looked for wherever one may come.
        announced = "content-length" in headers or "transfer-encoding" in headers
        if not announced and scope.get("method", "GET") in {"GET", "HEAD", "OPTIONS"}:
            await self._app(scope, receive, send)
            return
        known = any(name in headers for name in CREDENTIALS)
        packed = self._limits.packed if known else self._limits.anonymous
        try:
            body = await _read(receive, headers, packed)
            if encoding := headers.get("content-encoding"):
                body = await _unpacked(body, encoding, self._limits)
        except OpsroomError as error:
            theirs = scope["path"].startswith(PREFIX)
            refused = refusal(error) if theirs else error_response(error)
            await refused(scope, receive, send)
            return
        scope = _plain(scope, len(body))
        await self._app(scope, _replay(body, receive), send)


async def _unpacked(body: bytes, encoding: str, limits: Limits) -> bytes:
    """Large ones beside the event loop: others are answered meanwhile."""
    if len(body) < STEP:
        return unpack(body, encoding, limits)
    return await asyncio.to_thread(unpack, body, encoding, limits)


def unpack(body: bytes, encoding: str, limits: Limits) -> bytes:
    """The plain bytes of a packed body, never more than the limits allow."""
    match encoding.strip().lower():
        case "identity":
            return body
        case "gzip":
            steps = _gunzip
        case "zstd":
            steps = _unzstd
        case other:
            raise UnknownEncoding(other[:40])
    # Short bodies of repeated text pack very well and harm nobody.
    limit = min(limits.unpacked, max(limits.ratio * len(body), MEGABYTE))
    parts: list[bytes] = []
    size = 0
    try:
        for part in steps(body):
            size += len(part)
            if size > limit:
                raise BodyUnpacksTooLarge(limit)
            parts.append(part)
    except (zlib.error, zstandard.ZstdError) as error:
        raise BodyBroken(str(error).lower()) from error
    return b"".join(parts)


def _gunzip(body: bytes) -> Iterator[bytes]:
    inflate = zlib.decompressobj(wbits=31)
    left = body
    while left and not inflate.eof:
        yield inflate.decompress(left, STEP)
        left = inflate.unconsumed_tail
    _check_end(inflate.eof, inflate.unused_data)


def _unzstd(body: bytes) -> Iterator[bytes]:
    inflate = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW).decompressobj()
    at = 0
    while at < len(body) and not inflate.eof:
        yield inflate.decompress(body[at : at + ZSTD_STEP])
        at += ZSTD_STEP
    _check_end(inflate.eof, inflate.unused_data or body[at:])


def _check_end(reached: bool, following: bytes) -> None:
    if not reached:
        raise BodyBroken("it ends too early")
    if following:
        raise BodyBroken("something follows its end")


async def _read(receive: Receive, headers: Headers, limit: int) -> bytes:
    stated = headers.get("content-length", "")
    if stated.isdecimal() and int(stated) > limit:
        raise BodyTooLarge(limit)
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise BodyTooLarge(limit)
        parts.append(part)
        more = message.get("more_body", False)
    return b"".join(parts)


def _plain(scope: Scope, length: int) -> Scope:
    headers = MutableHeaders(raw=list(scope["headers"]))
    del headers["content-encoding"]
    del headers["transfer-encoding"]
    headers["content-length"] = str(length)
    return {**scope, "headers": headers.raw}


def _replay(body: bytes, receive: Receive) -> Receive:
    waiting = [body]

    async def replay() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return replay
