"""The way out holds against servers that lie, stall, redirect and flood. No network is used."""

import asyncio
import gzip
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from opsroom.kit.addresses import BadAddress, PrivateAddress
from opsroom.kit.connecting import Resolve
from opsroom.kit.outbound import (
    AnswerTooLarge,
    AnswerTooSlow,
    Limits,
    PackedAnswer,
    Secret,
    async_client,
    client,
)

Behave = Callable[[socket.socket, str], None]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


class Server:
    """Answers every connection with whatever bytes a test wants, and notes what it was sent."""

    def __init__(self, behave: Behave, tls: ssl.SSLContext | None = None) -> None:
        self.heard: list[str] = []
        self._behave = behave
        self._tls = tls
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.host}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                raw, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(raw,), daemon=True).start()

    def _answer(self, raw: socket.socket) -> None:
        try:
            with (
                raw
                if self._tls is None
                else self._tls.wrap_socket(raw, server_side=True) as one
            ):
                data = b""
                while b"\r\n\r\n" not in data and (more := one.recv(65536)):
                    data += more
                if data:
                    self.heard.append(data.decode("latin-1"))
                    self._behave(one, self.heard[-1])
        except OSError:
            pass  # the client has hung up, which is what many of these tests want

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()


@contextmanager
def serving(*answer: bytes | Behave, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    def behave(one: socket.socket, heard: str) -> None:
        for part in answer:
            if callable(part):
                part(one, heard)
            else:
                one.sendall(part)

    server = Server(behave, tls)
    try:
        yield server
    finally:
        server.close()


Fetch = Callable[..., httpx2.Response]


def fetch_sync(
    url: str, *, auth: Secret | None = None, headers: Any = None, **how: Any
) -> httpx2.Response:
    with client(**how) as one:
        return one.get(url, auth=auth, headers=headers)


def fetch_async(
    url: str, *, auth: Secret | None = None, headers: Any = None, **how: Any
) -> httpx2.Response:
    async def run() -> httpx2.Response:
        async with async_client(**how) as one:
            return await one.get(url, auth=auth, headers=headers)

    return asyncio.run(run())


@pytest.fixture(params=[fetch_sync, fetch_async], ids=["sync", "async"])
def fetch(request: pytest.FixtureRequest) -> Fetch:
    found: Fetch = request.param
    return found


def leading_to(*addresses: str) -> tuple[Resolve, list[str]]:
    """A name service that answers with these addresses, and what it was asked."""
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(f"{host}:{port}")
        return list(addresses)

    return resolve, asked


def test_an_allowed_server_answers(fetch: Fetch) -> None:
    with serving(OK) as server:
        answer = fetch(f"{server.url}/v1?x=1", allow=[server.host])
    assert (answer.status_code, answer.text) == (200, "ok")
    assert server.heard[0].startswith("GET /v1?x=1 HTTP/1.1\r\n")
    assert "accept-encoding: identity\r\n" in server.heard[0].lower()


def test_a_private_address_is_never_connected_to(fetch: Fetch) -> None:
    with serving(OK) as server:
        for host in (
            "127.0.0.1",
            "localhost",
            "127.1",
            "2130706433",
            "0x7f000001",
            "[::ffff:127.0.0.1]",
        ):
            with pytest.raises(PrivateAddress):
                fetch(f"http://{host}:{server.port}/")
    assert server.heard == []


@pytest.mark.parametrize(
    "addresses",
    [("127.0.0.1",), ("8.8.8.8", "127.0.0.1"), ("169.254.169.254",), ("::1",), ("fe80::1%lo",)],
)
def test_a_name_is_refused_for_anything_it_leads_to(
    fetch: Fetch, addresses: tuple[str, ...]
) -> None:
    resolve, asked = leading_to(*addresses)
    with pytest.raises(PrivateAddress) as refused:
        fetch("http://rebind.example/", resolve=resolve)
    assert refused.value.host == "rebind.example"
    assert asked == ["rebind.example:80"]


def test_the_connection_goes_to_what_was_checked_and_the_name_is_looked_up_once(
    fetch: Fetch,
) -> None:
    """The name would lead elsewhere at a second look; there is none."""
    with serving(OK) as server:
        resolve, asked = leading_to("127.0.0.1")
        name = f"model.example:{server.port}"
        answer = fetch(f"http://{name}/", allow=[name], resolve=resolve)
    assert answer.status_code == 200
    assert asked == [name]
    assert f"host: {name}\r\n" in server.heard[0].lower()


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/",
        "http://localhost:1/",
        "file:///etc/passwd",
        "gopher://x/",
        "http://u:p@8.8.8.8/",
        "//127.1:1/x",
    ],
)
def test_redirects_are_checked_like_any_request(fetch: Fetch, location: str) -> None:
    moved = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
    with serving(moved.encode()) as server, pytest.raises((PrivateAddress, BadAddress)):
        fetch(server.url, allow=[server.host], follow_redirects=True)


def test_redirects_are_not_followed_unless_asked_and_not_for_ever(fetch: Fetch) -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: /again\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    with serving(moved) as server:
        assert fetch(server.url, allow=[server.host]).status_code == 302
        assert len(server.heard) == 1
        with pytest.raises(httpx2.TooManyRedirects):
            fetch(server.url, allow=[server.host], follow_redirects=True)
        assert len(server.heard) < 10


def test_a_secret_goes_to_its_own_origin_only(fetch: Fetch) -> None:
    with serving(OK) as elsewhere:
        moved = f"HTTP/1.1 307 There\r\nLocation: {elsewhere.url}/\r\nContent-Length: 0\r\n\r\n"
        with serving(moved.encode()) as server:
            for secret in (
                Secret(server.url, "hunter2"),
                Secret(server.url, "hunter2", header="x-api-key", prefix=""),
            ):
                answer = fetch(
                    server.url,
                    auth=secret,
                    allow=[server.host, elsewhere.host],
                    follow_redirects=True,
                )
                assert answer.text == "ok"
            assert all("hunter2" in heard for heard in server.heard)
            assert len(server.heard) == len(elsewhere.heard) == 2
            fetch(elsewhere.url, auth=secret, allow=[elsewhere.host])
    assert not any("hunter2" in heard for heard in elsewhere.heard)
    assert "hunter2" not in repr(secret)


def test_a_plain_authorization_header_is_dropped_across_origins(fetch: Fetch) -> None:
    with serving(OK) as elsewhere:
        moved = f"HTTP/1.1 302 There\r\nLocation: {elsewhere.url}/\r\nContent-Length: 0\r\n\r\n"
        with serving(moved.encode()) as server:
            fetch(
                server.url,
                headers={"Authorization": "Bearer hunter2"},
                allow=[server.host, elsewhere.host],
                follow_redirects=True,
            )
    assert "hunter2" in server.heard[0]
    assert "hunter2" not in elsewhere.heard[0]


def chunked(one: socket.socket, _heard: str) -> None:
    one.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(5000):
        one.sendall(b"400\r\n" + b"x" * 0x400 + b"\r\n")


@pytest.mark.parametrize(
    "answer",
    [
        chunked,
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 100,
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 3_000_000,
    ],
    ids=["chunked", "announced", "until closed"],
)
def test_an_answer_is_read_up_to_its_cap(fetch: Fetch, answer: bytes | Behave) -> None:
    with serving(answer) as server, pytest.raises(AnswerTooLarge) as refused:
        fetch(server.url, allow=[server.host])
    assert refused.value.limit == 2**20


def test_an_answer_of_exactly_the_cap_is_fine(fetch: Fetch) -> None:
    with serving(OK) as server:
        assert fetch(server.url, allow=[server.host], limits=Limits(size=2)).text == "ok"
        with pytest.raises(AnswerTooLarge):
            fetch(server.url, allow=[server.host], limits=Limits(size=1))


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip"])
def test_packed_answers_are_not_unpacked(fetch: Fetch, encoding: str) -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(bomb)}\r\n\r\n"
    with serving(head.encode() + bomb) as server, pytest.raises(PackedAnswer):
        fetch(server.url, allow=[server.host], headers={"Accept-Encoding": "gzip"})


def dripping(text: bytes) -> Behave:
    def drip(one: socket.socket, _heard: str) -> None:
        for at in range(len(text)):
            one.sendall(text[at : at + 1])
            time.sleep(0.03)

    return drip


def silence(one: socket.socket, _heard: str) -> None:
    one.recv(1)


@pytest.mark.parametrize(
    "answer",
    [
        (silence,),
        (dripping(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 500),),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", dripping(b"x" * 500)),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nabc", silence),
        (b"HTTP/1.1 100 Continue\r\n\r\n", dripping(b"HTTP/1.1 100 Continue\r\n\r\n" * 30)),
    ],
    ids=["silence", "headers drip", "body drips", "body stops", "endless 100"],
)
def test_an_answer_has_its_time_and_no_more(
    fetch: Fetch, answer: tuple[bytes | Behave, ...]
) -> None:
    with serving(*answer) as server:
        started = time.monotonic()
        with pytest.raises(AnswerTooSlow) as refused:
            fetch(server.url, allow=[server.host], limits=Limits(seconds=0.3))
        assert time.monotonic() - started < 1.0
    assert refused.value.status == 503


@pytest.mark.parametrize(
    "bad", [{"X-A": "1\r\nX-Evil: 2"}, {"X-A\r\nX-Evil": "2"}, {"X-A": "1\x00"}]
)
def test_headers_cannot_be_smuggled_in(fetch: Fetch, bad: dict[str, str]) -> None:
    with serving(OK) as server:
        with pytest.raises((httpx2.LocalProtocolError, ValueError)):
            fetch(server.url, headers=bad, allow=[server.host])
        assert not any("Evil" in heard for heard in server.heard)


def test_nobody_there_is_a_plain_connection_error(fetch: Fetch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        host = f"127.0.0.1:{taken.getsockname()[1]}"
    with pytest.raises(httpx2.ConnectError):
        fetch(f"http://{host}/", allow=[host])

    def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(httpx2.ConnectError, match="not known"):
        fetch("http://nobody.example/", resolve=unknown)


def test_the_environment_and_earlier_answers_play_no_part(
    fetch: Fetch, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with (
        serving(OK) as proxy,
        serving(OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=1\r\n\r\n")) as server,
    ):
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password hunter2\n")
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
        assert fetch(server.url, allow=[server.host]).text == "ok"
        with client(allow=[server.host]) as one:
            one.get(server.url)
            one.get(server.url)
        assert proxy.heard == []
        assert not any(
            "cookie" in heard.lower() or "authorization" in heard.lower()
            for heard in server.heard
        )


def test_a_connection_serves_several_requests_each_with_its_own_time() -> None:
    def twice(one: socket.socket, _heard: str) -> None:
        one.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        one.recv(65536)
        time.sleep(2.0)
        one.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with (
        serving(twice) as server,
        client(allow=[server.host], limits=Limits(seconds=3.0)) as one,
    ):
        assert one.get(server.url).text == "ok"
        time.sleep(1.5)
        assert one.get(server.url).text == "ok"
    assert len(server.heard) == 1


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for model.example, made on the spot."""
    path = tmp_path_factory.mktemp("tls") / "model.pem"
    try:
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
                *("-subj", "/CN=model.example", "-addext", "subjectAltName=DNS:model.example"),
                *("-keyout", path, "-out", path.with_suffix(".crt")),
            ],
            check=True,
            capture_output=True,
        )
    except FileNotFoundError:
        pytest.skip("no openssl here to make a certificate with")
    return path


def test_the_certificate_must_be_for_the_name_although_the_address_is_connected_to(
    fetch: Fetch, certificate: Path
) -> None:
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(certificate.with_suffix(".crt"), certificate)
    ours = ssl.create_default_context(cafile=str(certificate.with_suffix(".crt")))
    resolve, _ = leading_to("127.0.0.1")
    with serving(OK, tls=theirs) as server:
        name, other = f"model.example:{server.port}", f"other.example:{server.port}"
        how: dict[str, Any] = {"allow": [name, other], "resolve": resolve, "tls": ours}
        assert fetch(f"https://{name}/", **how).text == "ok"
        with pytest.raises(httpx2.ConnectError, match=r"[Hh]ostname"):
            fetch(f"https://{other}/", **how)
        with pytest.raises(httpx2.ConnectError):
            fetch(f"https://{name}/", allow=[name], resolve=resolve)
