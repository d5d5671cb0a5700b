"""From which confidence on an agent need not ask, chosen on one half and told of on the other."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update
from tests.api import Api
from tests.conftest import MakeActor
from tests.improvement.world import started
from tests.thresholds.world import ADA, BOOK, CLERK, Source, asks_each, rated, sure_when_right

from opsroom.app.kinds import KINDS
from opsroom.improvement import queries
from opsroom.improvement.cli import _candidates
from opsroom.improvement.cutoffs import halves, wrong_above
from opsroom.improvement.errors import BadPlan
from opsroom.improvement.model import Candidate, Improvement, Method, Plan, Standing, State
from opsroom.improvement.running import carry_out
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Database
from opsroom.kit.wire import plain
from opsroom.registry import Ref
from opsroom.registry import queries as registry
from opsroom.simulator.apprentice import Apprentices
from opsroom.thresholds import queries as thresholds
from opsroom.thresholds import store
from opsroom.thresholds.model import Decision

PLAN = Plan(
    target=f"agent/{CLERK}",
    method=Method.THRESHOLDS,
    contract=f"contract/{BOOK}",
    max_error=0.05,
)


@pytest.fixture
def office(api: Api, clock: ManualClock) -> Api:
    return asks_each(api, clock).api


def searched(db: Database, plan: Plan = PLAN) -> tuple[Improvement, list[Candidate]]:
    found = started(db, ADA, plan)
    models = Apprentices()
    done = carry_out(db, "default", found.id, models=models, kinds=KINDS)
    assert models.asked == []
    with db.read(ADA) as tx:
        return done, queries.candidates(tx, done.id, limit=100)


def test_a_cut_off_is_chosen_proposed_and_told_of_on_what_chose_nothing(office: Api) -> None:
    db = office.db
    rated(db, sure_when_right(2000))
    rated(
        db, [(0.99, True)] * 500, source=Source.ALONE
    )  # came to light elsewhere: no counterpart
    done, candidates = searched(db)
    assert done.state is State.FINISHED
    (chosen,) = [one for one in candidates if one.standing is Standing.CHOSEN]
    assert chosen.score is not None
    assert chosen.alone is not None
    assert chosen.held_out is not None
    assert chosen.held_out.interval is not None
    assert chosen.held_out.interval.low <= 0.05
    assert chosen.score.value <= 0.05
    assert chosen.alone.n + chosen.held_out.n < 2000
    assert f"on the held-out half {chosen.held_out.value:.1%}" in done.reason
    assert [one.held_out for one in candidates if one is not chosen] == [None] * 21
    with db.read(ADA) as tx:
        made = registry.version(tx, Ref.parse(done.version))
        proposal = registry.proposal(tx, done.proposal)
    cutoff = made.spec["thresholds"]["confidence"][BOOK]
    assert chosen.change == f"asks below a confidence of {cutoff:g}"
    assert proposal.title.endswith(chosen.change)
    assert "what people granted" in proposal.description
    assert (made.source, made.author) == (f"improvement/{done.id}", "ada")
    with db.read(ADA) as tx:  # nothing is promoted, certified or granted by it
        label = registry.label(tx, "agent", CLERK, "production")
        assert thresholds.examinations(tx, agent=CLERK) == []
    assert label is not None
    assert label.number != made.number
    assert "the base" in _candidates([plain(one) for one in candidates])
    page = office.person("author").send("GET", f"/improvements/{done.id}").text
    assert "Wrong on the held-out half" in page
    assert f"asks below a confidence of {cutoff:g}" in page
    assert "opsroom eval gate" not in page


def test_what_cannot_be_shown_is_not_proposed(office: Api) -> None:
    rated(office.db, [(0.9, number % 3 == 0) for number in range(400)])
    done, candidates = searched(office.db)
    assert (done.state, done.proposal, done.version) == (State.FINISHED, "", "")
    assert done.reason == "no cut-off is shown to keep errors below 5.0%"
    assert len(candidates) == 22
    assert all(one.held_out is None for one in candidates)


def test_what_the_held_out_half_contradicts_is_not_proposed(office: Api) -> None:
    db = office.db
    rated(db, [(0.9, False)] * 600)
    with db.read(ADA) as tx:
        _, unseen = halves(thresholds.labelled(tx, CLERK, BOOK))
    with db.write(ADA) as tx:
        wrong = [one.action for one in unseen[:60]]
        tx.conn.execute(
            update(store.decisions)
            .where(store.decisions.c.action.in_(wrong))
            .values(right=False)
        )
    done, _ = searched(db)
    assert done.proposal == ""
    assert "the held-out half contradicts it (5.0% were asked)" in done.reason


def test_a_search_needs_an_agent_a_contract_and_answers(
    office: Api, make_actor: MakeActor
) -> None:
    for wrong in (
        replace(PLAN, target="prompt/customs"),
        replace(PLAN, contract=""),
        replace(PLAN, max_error=0.9),
        PLAN,
        replace(PLAN, method=Method.VERSIONS, versions=("1",)),
    ):
        with pytest.raises(BadPlan):
            started(office.db, ADA, wrong)


def test_the_target_of_the_tier_holds_where_none_is_given(office: Api) -> None:
    rated(office.db, sure_when_right(1000))
    done, _ = searched(office.db, replace(PLAN, max_error=0.0))
    assert done.state is State.FINISHED
    again, _ = searched(office.db, replace(PLAN, max_error=0.05))
    assert again.reason == done.reason  # booking writes, and writing may be 5 % wrong


@given(
    labels=st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=60),
    cutoff=st.floats(0, 1),
)
def test_halves_are_apart_and_shares_are_of_what_lies_above(
    labels: list[tuple[float, bool]], cutoff: float
) -> None:
    decisions = [
        Decision(
            action=f"act_{number}",
            agent=CLERK,
            environment="production",
            contract=BOOK,
            reference=f"contract/{BOOK}@1",
            manifest="m",
            confidence=confidence,
            source=Source.ASKED,
            right=not wrong,
        )
        for number, (confidence, wrong) in enumerate(labels)
    ]
    one, other = halves(decisions)
    assert sorted(each.action for each in one + other) == sorted(
        each.action for each in decisions
    )
    assert halves(one) == (one, [])
    above = [each for each in decisions if each.confidence >= cutoff]
    found = wrong_above(decisions, cutoff)
    if found is None:
        assert above == []
    else:
        assert found.n == len(above)
        assert found.interval is not None
        assert found.interval.low <= found.value <= found.interval.high
