import re
from collections.abc import Iterator

import pytest
from jinja2 import UndefinedError
from starlette.requests import Request
from starlette.testclient import TestClient
from tests.web.sample.app import EPOCH, NAV, Busy, build

from opsroom.kit.clock import ManualClock
from opsroom.web.assets import Assets
from opsroom.web.nav import active_key
from opsroom.web.render import Chrome, Notice, Pages

HTML = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    app = build(ManualClock(EPOCH))
    with TestClient(app, base_url="http://127.0.0.1", follow_redirects=False) as client:
        yield client


@pytest.fixture
def pages() -> Pages:
    return Pages(
        ["tests.web.sample"],
        assets=Assets(),
        clock=ManualClock(EPOCH),
        chrome=Chrome(notices={"done": Notice(text="Done.")}),
    )


def asking(path: str = "/", query: str = "") -> Request:
    return Request({
        "type": "http", "method": "GET", "path": path, "headers": [],
        "query_string": query.encode(), "scheme": "http", "server": ("127.0.0.1", 80),
    })  # fmt: skip


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/", "home"), ("/moves", "moves"), ("/moves/1/x", "moves"), ("/movesx", ""),
        ("/elsewhere", ""),
    ],
)  # fmt: skip
def test_a_page_belongs_to_the_place_with_the_longest_address(path: str, key: str) -> None:
    assert active_key(NAV, path) == key


def test_a_page_says_where_it_is_and_who_is_looking(client: TestClient) -> None:
    text = client.get("/moves").text
    menu, page = text.split("<main")
    assert menu.count('href="/moves" aria-current="page"') == 2, "wide and narrow"
    assert menu.count("aria-current") == 2
    assert "Ada Lovelace" in text
    assert '<span class="badge">20' in text
    assert "<h1>customs-classifier 14 → 15</h1>" in page
    assert "<title>customs-classifier 14 → 15 · opsroom</title>" in text


def test_what_a_page_forgot_is_an_error(pages: Pages) -> None:
    with pytest.raises(UndefinedError, match="agents"):
        pages.render(asking(), "sample/overview.html")


@pytest.mark.parametrize("path", ["/", "/moves", "/texts", "/forms", "/sign-in"])
def test_text_is_escaped_wherever_it_stands(client: TestClient, path: str) -> None:
    text = client.get(path, params={"word": "<i x='\"&'></script>"}).text
    assert "<i " not in text
    assert "></script>'" not in text


def test_a_template_in_the_text_stays_text(client: TestClient) -> None:
    assert "{{ 7*7 }}" in client.get("/texts", params={"word": "{{ 7*7 }}"}).text


def test_only_notices_of_the_catalogue_are_shown(client: TestClient) -> None:
    assert "takes effect within 2 seconds" in client.get("/forms?notice=moved").text
    assert "made up" not in client.get("/forms?notice=made+up").text


def test_a_form_that_worked_leads_on_with_its_notice(client: TestClient) -> None:
    answer = client.post("/forms", data={"how": "soft"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/forms?notice=moved"


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "javascript:x", ""])
def test_a_redirect_never_leaves_the_house(pages: Pages, to: str) -> None:
    assert pages.redirect(to).headers["location"] == "/"


def test_a_redirect_keeps_query_and_fragment(pages: Pages) -> None:
    location = pages.redirect("/a?b=c#d", notice="done").headers["location"]
    assert location == "/a?b=c&notice=done#d"
    with pytest.raises(LookupError):
        pages.redirect("/", notice="unknown")


def test_errors_are_a_page_a_notice_or_json(client: TestClient) -> None:
    form = {"how": "clash"}
    page = client.post("/forms", data=form, headers=HTML)
    notice = client.post("/forms", data=form, headers=HTML | {"HX-Request": "true"})
    program = client.post("/forms", data=form)
    for answer in (page, notice, program):
        assert answer.status_code == 409
        assert "somebody else was faster" in answer.text.lower()
        assert "read it again" in answer.text.lower()
    assert "<h1>" in page.text
    assert "<html" not in notice.text
    assert notice.headers["hx-retarget"] == "#notices"
    assert program.json()["error"]["code"] == "sample_busy"


def test_only_known_themes_reach_the_page(client: TestClient) -> None:
    dark = client.get("/", headers={"Cookie": "opsroom_theme=dark"}).text
    odd = client.get("/", headers={"Cookie": "opsroom_theme=x onload"}).text
    assert '<html lang="en" data-theme="dark">' in dark
    assert '<html lang="en">' in odd


def test_an_error_page_comes_out_when_nobody_can_say_who_is_looking() -> None:
    def fail(_: Request) -> None:
        raise Busy

    pages = Pages([], assets=Assets(), clock=ManualClock(EPOCH), viewer=fail)
    with pytest.raises(Busy):
        pages.render(asking(), "web/error.html", error=Busy())
    assert pages.error(asking(), Busy()).status_code == 409


@pytest.mark.parametrize("path", ["/", "/moves", "/texts", "/forms", "/nothing", "/sign-in"])
def test_no_page_has_script_or_style_within(client: TestClient, path: str) -> None:
    text = client.get(path).text
    assert not re.search(r"<[^>]*\s(style|on\w+)=", text)
    for script in re.findall(r"<script[^>]*>", text):
        assert " src=" in script or 'type="application/json"' in script
