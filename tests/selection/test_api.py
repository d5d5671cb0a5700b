"""Scorecards on a database, over HTTP, on pages and in the terminal; beside a change."""

from typing import Any

import pytest
from tests.api import Api
from tests.selection.world import CASES, MODELS, office

from opsroom.app.kinds import KINDS
from opsroom.evals import queries as evals
from opsroom.journal import queries as journal
from opsroom.kit.db import Actor, Database
from opsroom.registry import Ref, proposals
from opsroom.selection import commands, queries
from opsroom.selection.cli import _list, _one
from opsroom.selection.errors import DifferentTasks, ScorecardNotFound, ScorecardOfOthers
from opsroom.selection.model import Ask, Candidate

HTML = {"Accept": "text/html"}


def ask(*subjects: str, **rest: object) -> Ask:
    candidates = tuple(Candidate(subject=one) for one in subjects)
    return Ask(name="clerk-model", candidates=candidates, **rest)  # type: ignore[arg-type]


def test_a_scorecard_is_kept_once_and_journalled(db: Database, admin: Actor) -> None:
    office(db, admin)
    wanted = ask("clerk@1", "agent/clerk@3")
    kept = commands.draw_up(db, admin, wanted, models=MODELS)
    assert commands.draw_up(db, admin, wanted, models=MODELS) == kept
    more = commands.draw_up(db, admin, ask("clerk@1", "clerk@2", "clerk@3"), models=MODELS)
    assert (kept.number, more.number) == (1, 2)
    assert kept.digest == kept.card.digest
    with db.read(admin) as tx:
        ((entry, _),) = journal.entries(tx, subject=f"scorecard/{kept.digest}", limit=10)
        assert entry.facts["outcome"] == "recommended"
        assert queries.scorecard(tx, "clerk-model@1") == kept
        assert (
            queries.scorecard(tx, "clerk-model") == more == queries.scorecard(tx, more.digest)
        )
        first, before = queries.scorecards(tx, limit=1)
        second, none = queries.scorecards(tx, before=before, limit=1)
        assert ([*first, *second], none) == ([more, kept], None)
        for missing in ("clerk-model@9", "clerk-model@x", "nobody", "0" * 64):
            with pytest.raises(ScorecardNotFound):
                queries.scorecard(tx, missing)
    elsewhere = Actor("root", "other", admin.may, admin.roles)
    with db.read(elsewhere) as tx, pytest.raises(ScorecardNotFound):
        queries.scorecard(tx, kept.digest)


def test_edge_cases_are_a_split_of_their_own(sqlite_db: Database, admin: Actor) -> None:
    office(sqlite_db, admin)
    kept = commands.draw_up(
        sqlite_db, admin, ask("clerk@1", "clerk@3", edge_split="edge"), models=MODELS
    )
    best = kept.card.standings[0]
    assert (best.cases, best.measures["edge"].n) == (CASES, 20)  # type: ignore[index]
    assert best.edge_run


def test_other_tasks_are_refused_before_anything_is_measured(
    sqlite_db: Database, admin: Actor
) -> None:
    office(sqlite_db, admin)
    with pytest.raises(DifferentTasks):
        commands.draw_up(sqlite_db, admin, ask("clerk@1", "teller@1"), models=MODELS)
    with sqlite_db.read(admin) as tx:
        assert evals.runs(tx, limit=10) == []


def test_a_proposal_gets_what_the_scorecard_says_of_its_version(
    sqlite_db: Database, admin: Actor
) -> None:
    office(sqlite_db, admin)
    kept = commands.draw_up(sqlite_db, admin, ask("clerk@1", "clerk@3"), models=MODELS)
    states = {}
    with sqlite_db.write(admin) as tx:
        for number in (1, 3):
            made = proposals.propose(
                tx, Ref("agent", "clerk", str(number)), label="production", kinds=KINDS
            )
            seen = commands.attach_to_proposal(tx, kept.digest, made.id)
            check = next(one for one in seen.checks if one.name == "selection")
            assert check.evidence == kept.digest
            states[number] = check.state
        assert states == {1: "passed", 3: "failed"}
        other = proposals.propose(
            tx, Ref("agent", "clerk", "2"), label="production", kinds=KINDS
        )
        with pytest.raises(ScorecardOfOthers):
            commands.attach_to_proposal(tx, "clerk-model", other.id)


def test_undecided_is_neither_passed_nor_failed(sqlite_db: Database, admin: Actor) -> None:
    office(sqlite_db, admin)
    kept = commands.draw_up(sqlite_db, admin, ask("clerk@1", "clerk@2"), models=MODELS)
    states = {commands.as_check(kept, one).state for one in kept.card.standings}
    assert states == {"inconclusive"}


def test_over_http_on_pages_and_in_the_terminal(sqlite_api: Api, admin: Actor) -> None:
    office(sqlite_api.db, admin)
    author, viewer = sqlite_api.program("author"), sqlite_api.program("viewer")
    body: dict[str, Any] = {
        "name": "clerk-model",
        "candidates": [
            {
                "subject": "clerk@1",
                "benchmark": {"name": "ClerkBench", "value": 0.5, "source": "<b>paper</b>"},
                "facts": [{"aspect": "audit", "value": "yes", "source": "handbook §2"}],
            },
            {
                "subject": "clerk@3",
                "benchmark": {"name": "ClerkBench", "value": 0.99, "source": "vendor"},
                "plan": {"source": "quote", "tiers": [{"input": "2", "output": "8"}]},
            },
        ],
        "volume": 1000,
        "latency_ceiling": 20,
        "cost_ceiling": "0.1",
    }
    assert viewer.refused("POST", "/v1/scorecards", body).status == 403
    found = author.post("/v1/scorecards", body)
    assert found["card"]["recommendation"]["outcome"] == "recommended"
    assert viewer.get("/v1/scorecards")["items"] == [found]
    assert viewer.get("/v1/scorecards/clerk-model@1") == found
    refused = author.refused(
        "POST", "/v1/scorecards", body | {"candidates": [{"subject": "clerk@1"}]}
    )
    assert (refused.status, refused.code) == (422, "bad_scorecard")
    told = _one(found)
    assert "clerk-model@1  recommended: the recommendation is clerk@1" in told
    assert "mind: 60 shared cases are few" in told
    assert "clerk-model@1" in _list([found])
    page = sqlite_api.person("author").send("GET", f"/scorecards/{found['digest']}").text
    assert "red flag" in page
    assert "&lt;b&gt;paper" in page
    assert "<b>paper" not in page
    assert "Attach to a proposal" in page
    watching = sqlite_api.person("viewer")
    assert "Attach to a proposal" not in watching.send("GET", "/scorecards/clerk-model").text
    assert "clerk-model@1" in watching.send("GET", "/scorecards").text


def test_a_form_draws_one_up(sqlite_api: Api, admin: Actor) -> None:
    office(sqlite_api.db, admin)
    author = sqlite_api.person("author")
    assert "Nothing is compared yet" in author.send("GET", "/scorecards").text
    data = {"name": "pick", "candidates": "clerk@1\r\n\r\nclerk@2\r\n"}
    done = author.send("POST", "/scorecards", data=data, headers=HTML, follow_redirects=False)
    assert done.status_code == 303
    assert "undecided between" in author.send("GET", "/scorecards").text.lower()
    data["candidates"] = "clerk@1\nteller@1"
    refused = author.send("POST", "/scorecards", data=data, headers=HTML)
    assert refused.status_code == 422
    assert "would not do the same task" in refused.text
