from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient
from tests.web.sample.app import build

from opsroom.web.security import guard

HERE = "http://127.0.0.1:8000"
COOKIE = {"Cookie": "a=1; opsroom_session=s3cret"}
SAME = {"Origin": HERE, "Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(build(), base_url=HERE) as client:
        yield client


def test_every_answer_has_the_headers(client: TestClient) -> None:
    page = client.get("/")
    missing = client.get("/nowhere")
    refused = client.get("/", headers={"Host": "evil.example"})
    for answer in (page, missing, refused):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert page.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:8000", "127.0.0.1.evil.example", "127.0.0.1@evil.example",
        "", "127.0.0.1:8000, evil.example", "127.0.0.1:80:80", "localhost",
    ],
)  # fmt: skip
def test_a_foreign_name_is_refused_before_anything_else(client: TestClient, host: str) -> None:
    answer = client.get("/", headers={"Host": host})
    assert answer.status_code == 421
    assert answer.json()["error"]["code"] == "foreign_host"
    assert answer.json()["error"]["hint"]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8000", "127.0.0.1:9"])
def test_our_own_name_is_answered_on_any_port(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"Host": host}).status_code == 200


def test_names_are_compared_without_case_and_with_their_port_if_given() -> None:
    app = guard(build(), hosts=["Ops.Example:444"], session_cookie="s")
    with TestClient(app) as client:
        assert client.get("/", headers={"Host": "ops.example:444"}).json()["error"]
        assert client.get("/", headers={"Host": "ops.example"}).status_code == 421


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "QUERY"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:8001"},
        {"Origin": f"{HERE}.evil.example"},
        {"Origin": f"{HERE}/path"},
        {"Origin": "ftp://127.0.0.1:8000"},
        {"Origin": "http://[bad"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": HERE},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
        {},
    ],
)
def test_other_sites_change_nothing_in_a_persons_name(
    client: TestClient, method: str, headers: dict[str, str]
) -> None:
    answer = client.request(method, "/echo", headers=COOKIE | headers)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "foreign_origin"


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}])
def test_other_sites_change_nothing_without_the_cookie_either(
    client: TestClient, headers: dict[str, str]
) -> None:
    assert client.post("/echo", headers=headers).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        SAME,
        {"Origin": HERE},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_our_own_pages_may(client: TestClient, headers: dict[str, str]) -> None:
    answer = client.post("/echo", headers=COOKIE | headers, data={"a": "b"})
    assert answer.json() == {"a": "b"}


def test_programs_without_a_session_may_try(client: TestClient) -> None:
    assert client.post("/echo", data={"a": "b"}).json() == {"a": "b"}


@pytest.mark.parametrize(
    "cookie",
    [
        "opsroom_session=x",
        'bad="unclosed; opsroom_session=x',
        "{}; opsroom_session=x",
        "=;; opsroom_session =x",
    ],
)
def test_a_session_behind_odd_cookies_is_still_seen(client: TestClient, cookie: str) -> None:
    assert client.post("/echo", headers={"Cookie": cookie}).status_code == 403


def test_reading_needs_no_origin(client: TestClient) -> None:
    assert client.get("/", headers=COOKIE | {"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_standard_ports_are_the_same_whether_written_or_not(client: TestClient) -> None:
    headers = COOKIE | {"Host": "127.0.0.1", "Origin": "https://127.0.0.1:443"}
    assert client.post("/echo", headers=headers).status_code == 200


def test_text_is_compressed_and_a_stream_of_events_is_not(client: TestClient) -> None:
    assert client.get("/").headers["content-encoding"] == "gzip"
    # The event stream is looked at in the browser tests; here only small answers stay plain.
    assert "content-encoding" not in client.post("/echo").headers
