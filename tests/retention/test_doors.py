"""The page of retention, and who may decide there."""

import re
from typing import Any

from tests.api import Api, Caller

from opsroom.access.model import permissions_of
from opsroom.kit.db import Actor
from opsroom.retention import commands
from opsroom.retention.model import Scope

ROOT = Actor("root", "default", permissions_of(("admin",)), ("admin",))


def decide(who: Caller, place: str, **form: str) -> Any:
    return who.send("POST", f"/retention{place}", data=form, follow_redirects=False)


def test_the_page_decides_holds_and_looks_before_it_erases(sqlite_api: Api) -> None:
    admin = sqlite_api.person("admin")
    assert "everything is kept" in admin.send("GET", "/retention").text
    said = decide(admin, "", action_days="200", feedback_days="")
    assert said.status_code == 303
    assert "actions go after 200 days" in admin.send("GET", "/retention").text
    hold = {"scope": "agent", "what": "clerk", "reason": "a <b>lawsuit</b>"}
    decide(admin, "/holds", **hold)
    page = admin.send("GET", "/retention").text
    assert "a &lt;b&gt;lawsuit&lt;/b&gt;" in page
    (place,) = re.findall(r'action="/retention(/holds/hld_\w+/release)"', page)
    decide(admin, place, because="settled")
    assert "Nothing is held" in admin.send("GET", "/retention").text
    assert "0 turns, 0 actions" in decide(admin, "/erasures", user="zoe", subject="").text
    assert decide(admin, "", action_days="7").status_code == 422


def test_an_auditor_sees_it_and_decides_nothing(sqlite_api: Api) -> None:
    with sqlite_api.db.write(ROOT) as tx:
        commands.hold(tx, Scope.PROJECT, "", why="an inquiry")
    auditor = sqlite_api.person("auditor")
    page = auditor.send("GET", "/retention").text
    assert "an inquiry" in page
    assert "Erase for good" not in page
    assert "/retention/erasures" not in page
    body = {"user": "zoe", "dry_run": False}
    assert auditor.refused("POST", "/v1/retention/erasures", json=body).status == 403
