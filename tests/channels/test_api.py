"""Channels over HTTP, at the terminal, on pages and in a running server."""

import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Page
from tests.api import Api
from tests.channels.world import (
    KEY,
    SECRET,
    Receiver,
    deliveries,
    happens,
    sender,
    store,
    webhook,
)
from tests.channels.world import send as send_due
from tests.installation import (
    Shell,
    home,
    home_template,
    own_environment,
    running,
    shell,
)
from tests.pages import Site, holds
from tests.patience import PATIENCE

import opsroom

__all__ = ["home", "home_template", "own_environment", "shell"]
VERSIONS = "/v1/artifacts/channel/on-call/versions"
GOOD = {"to": {"kind": "webhook", "url": "https://hooks.example.org/x", "secret": KEY}}


def test_test_list_repeat(api: Api, here: Receiver) -> None:
    viewer, ops = api.program("viewer"), api.program("operator")
    base = "/v1/channels/on-call"
    assert viewer.refused("GET", f"{base}/deliveries").code == "artifact_not_found"
    store(api.db, "on-call", webhook(here), serves=False)
    refused = ops.refused("POST", f"{base}/test")
    assert (refused.status, refused.code) == (409, "channel_silent")
    store(api.db, "on-call", webhook(here))
    assert viewer.refused("POST", f"{base}/test").status == 403
    tested = ops.post(f"{base}/test")
    assert tested["notice"]["title"] == f"{ops.name} tests the channel on-call"
    waiting = ops.refused("POST", f"{base}/deliveries/{tested['id']}/repeat")
    assert (waiting.status, waiting.code) == (409, "delivery_under_way")
    send_due(api.db, sender(allow=(here.host,)))
    happens(api.db)
    newest = viewer.get(f"{base}/deliveries", limit=1)
    assert newest["items"][0]["notice"]["event"] == "alert.opened"
    older = viewer.get(f"{base}/deliveries", before=newest["next"])["items"]
    assert [(one["id"], one["state"]) for one in older] == [(tested["id"], "delivered")]
    again = ops.post(f"{base}/deliveries/{tested['id']}/repeat")
    assert (again["state"], again["attempts"]) == ("pending", 0)
    gone = ops.refused("POST", f"{base}/deliveries/dlv_nobody/repeat")
    assert (gone.status, gone.code) == (404, "delivery_not_found")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"to": {**GOOD["to"], "url": "gopher://example.org/"}}, "bad_address"),
        ({"to": {**GOOD["to"], "url": "http://0177.0.0.1/"}}, "bad_address"),
        ({"to": {**GOOD["to"], "url": "https://u:p@example.org/"}}, "bad_address"),
        ({"to": {**GOOD["to"], "url": "https://example.org/\r\nHost: x"}}, "bad_address"),
        ({"to": {**GOOD["to"], "secret": "hunter2"}}, "broken_channel"),
        ({"to": {"kind": "service", "secret": "slack://a/b/c"}}, "broken_channel"),
        ({"to": {"kind": "pigeon"}}, "bad_spec"),
        ({"events": ["turn.begun"]}, "broken_channel"),
        ({"events": ["channel.delivered"]}, "broken_channel"),
        ({"events": []}, "broken_channel"),
        ({"urgencies": ["soon"]}, "bad_spec"),
    ],
)
def test_what_no_channel_can_be(sqlite_api: Api, wrong: dict[str, Any], code: str) -> None:
    author = sqlite_api.program("author")
    author.post("/v1/artifacts/channel", {"name": "on-call"})
    refused = author.refused("POST", VERSIONS, {"spec": {**GOOD, **wrong}})
    assert (refused.status, refused.code) == (422, code)
    assert refused.hint


def test_what_the_linter_says(sqlite_api: Api) -> None:
    author = sqlite_api.program("author")
    author.post("/v1/artifacts/channel", {"name": "on-call"})
    author.post(VERSIONS, {"spec": GOOD})
    assert author.get(f"{VERSIONS}/1/lint") == []
    elsewhere = {"to": {**GOOD["to"], "url": "http://10.0.0.1/x"}}
    author.post(VERSIONS, {"spec": elsewhere})
    assert {one["code"] for one in author.get(f"{VERSIONS}/2/lint")} == {
        "address_not_public",
        "not_encrypted",
        "secret_moves",
    }


def test_a_server_tells_by_itself(
    home: Path, here: Receiver, tmp_path: Path, shell: Shell
) -> None:
    """From the file to the receiver, through production and the loop of a real server."""
    file = tmp_path / "on-call.yaml"
    file.write_text(yaml.safe_dump(webhook(here)))
    environment = {"OPSROOM_ALLOWED_HOSTS": here.host, KEY: SECRET}
    with running(home, **environment) as server:
        assert shell("channel", "store", "on-call", file, "--criticality", "advisory") == 0
        assert shell("channel", "test", "on-call") == 7
        assert "no version of it is in production" in shell.err
        opened = shell.data("channel", "propose", "on-call@1")
        assert shell("proposal", "merge", opened["id"]) == 0, shell.err
        assert shell("channel", "test", "on-call") == 0, shell.err
        state, until = "pending", time.monotonic() + PATIENCE
        while state == "pending" and time.monotonic() < until:
            ((state, said),) = [
                (one["state"], one["said"])
                for one in shell.data("channel", "deliveries", "on-call")
            ]
            time.sleep(0.1)
        assert (state, said) == ("delivered", f"{here.host} answered 204")
        ((headers, body),) = here.seen
        assert f'"link":"{server.url}/channels/on-call"'.encode() in body
    assert opsroom.verify_webhook(SECRET, headers, body).startswith("dlv_")


@pytest.fixture(scope="module")
def told(shown: Site) -> Site:
    """A site with one channel that works, and one that does not."""
    to = {"kind": "webhook", "url": "http://127.0.0.1:9/hook", "secret": KEY}
    store(shown.api.db, "on-call", {"to": to, "description": "whoever is on duty"})
    store(shown.api.db, "draft", {"to": {"kind": "service", "secret": KEY}}, serves=False)
    happens(shown.api.db, because="<script>alert(1)</script>")
    send_due(shown.api.db, sender())
    return shown


@pytest.mark.browser
@pytest.mark.parametrize("path", ["/channels", "/channels/on-call", "/channels/draft"])
def test_pages_hold(page: Page, told: Site, base: str, path: str) -> None:
    holds(page, told, base, path)


def test_the_page_says_what_went_through_it(told: Site) -> None:
    ops, viewer = told.person("operator"), told.person("viewer")
    read = told.read("/channels/on-call", by=ops)
    assert "Send a test" in read
    assert "leads to 127.0.0.1, which is not a public address" in read
    assert "<script>alert(1)</script>" not in read
    assert "Send a test" not in told.read("/channels/on-call", by=viewer)
    assert "No version of it is in production" in told.read("/channels/draft", by=ops)
    assert "channel_tested" in told.post("/channels/on-call/test", by=ops)
    told.post("/channels/on-call/test", by=viewer, status=403)
    tested = deliveries(told.api.db)[0]
    told.post(f"/channels/on-call/deliveries/{tested.id}/repeat", by=ops, status=409)
