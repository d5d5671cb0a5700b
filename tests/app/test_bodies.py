"""How much of a request is read, packed and unpacked."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.api import Api

from opsroom.app.bodies import (
    MEGABYTE,
    BodyBroken,
    BodyUnpacksTooLarge,
    Limits,
    UnknownEncoding,
    unpack,
)

USER = b'{"name": "ada", "roles": ["author"]}'


@given(st.binary(max_size=5000))
def test_unpacking_gives_back_what_was_packed(body: bytes) -> None:
    assert unpack(gzip.compress(body), "gzip", Limits()) == body


@given(st.binary(min_size=1, max_size=500), st.data())
def test_half_a_body_is_no_body(body: bytes, data: st.DataObject) -> None:
    packed = gzip.compress(body)
    cut = data.draw(st.integers(0, len(packed) - 1))
    with pytest.raises(BodyBroken):
        unpack(packed[:cut], "gzip", Limits())


def test_a_bomb_stops_where_the_limit_is() -> None:
    bomb = gzip.compress(bytes(200 * MEGABYTE), 9)
    with pytest.raises(BodyUnpacksTooLarge) as caught:
        unpack(bomb, "gzip", Limits())
    assert caught.value.limit <= 100 * len(bomb)


def test_bombs_in_bombs_and_tails_are_refused() -> None:
    with pytest.raises(BodyBroken, match="follows"):
        unpack(gzip.compress(b"one") + gzip.compress(b"two"), "gzip", Limits())
    with pytest.raises(BodyBroken):
        unpack(zlib.compress(b"one"), "gzip", Limits())
    with pytest.raises(UnknownEncoding):
        unpack(b"", "gzip, gzip", Limits())


@pytest.mark.parametrize(
    ("content", "encoding", "status", "code"),
    [
        (gzip.compress(bytes(80 * MEGABYTE)), "gzip", 413, "body_unpacks_too_large"),
        (gzip.compress(USER)[:-3], "gzip", 422, "body_broken"),
        (b"plain", "gzip", 422, "body_broken"),
        (b"plain", "br", 415, "unknown_encoding"),
        (bytes(17 * MEGABYTE), "identity", 413, "body_too_large"),
    ],
    ids=["bomb", "cut off", "not packed", "another encoding", "large"],
)
def test_bodies_that_are_refused(
    sqlite_api: Api, content: bytes, encoding: str, status: int, code: str
) -> None:
    headers = {"Content-Encoding": encoding, "Content-Type": "application/json"}
    refusal = sqlite_api.program("admin").refused(
        "POST", "/v1/users", content=content, headers=headers
    )
    assert (refusal.status, refusal.code) == (status, code)
    assert refusal.hint


def test_a_packed_body_is_read(sqlite_api: Api) -> None:
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    answer = sqlite_api.program("admin").send(
        "POST", "/v1/users", content=gzip.compress(USER), headers=headers
    )
    assert answer.json()["name"] == "ada"


def test_whoever_carries_no_credential_sends_little(sqlite_api: Api) -> None:
    refusal = sqlite_api.nobody.refused("POST", "/login", content=bytes(100 * 1024))
    assert (refusal.status, refusal.code) == (413, "body_too_large")


def test_a_body_of_unknown_length_is_counted(sqlite_api: Api) -> None:
    def pieces() -> "list[bytes]":
        return [bytes(MEGABYTE)] * 17

    refusal = sqlite_api.program("admin").refused("POST", "/v1/users", content=iter(pieces()))
    assert refusal.code == "body_too_large"
