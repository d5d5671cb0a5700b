"""Turns and actions against the real gate: what may be done is done once, and told truly."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.patience import eventually
from tests.sdk.freight import (
    Invoice,
    Posted,
    World,
    post_invoice,
    read_invoice,
    send_note,
    slow_note,
    tag,
)

import opsroom
from opsroom.sdk.errors import NoSuchFinal, NotAnAction
from opsroom.testing import Room

ACME = Invoice(supplier="Acme", amount=Decimal("12.50"))
ASKED = [{"role": "user", "content": "Post the invoice of Acme over 12.50, and send a note."}]


@pytest.fixture(params=["sync", "async"])
def act(request: pytest.FixtureRequest, clerk: str) -> Callable[..., opsroom.Outcome[Any]]:
    """`act` in a turn of its own, of a program with and without an event loop."""

    def act_sync(*args: Any, **kwargs: Any) -> opsroom.Outcome[Any]:
        with opsroom.turn(clerk, intent="a task", messages=ASKED) as t:
            return t.act_sync(*args, **kwargs)

    def act_async(*args: Any, **kwargs: Any) -> opsroom.Outcome[Any]:
        async def main() -> opsroom.Outcome[Any]:
            async with opsroom.turn(clerk, intent="a task", messages=ASKED) as t:
                return await t.act(*args, **kwargs)

        return asyncio.run(main())

    return act_sync if request.param == "sync" else act_async


Act = Callable[..., opsroom.Outcome[Any]]


def state_of(room: Room, action_id: str) -> str:
    return str(room.client.get(f"/v1/actions/{action_id}/record")["action"]["state"])


def test_calling_an_action_plainly_is_calling_its_function(world: World) -> None:
    assert read_invoice(7) == "invoice 7: Acme, 12.50"
    assert asyncio.run(post_invoice(ACME)) == Posted(number=1)


def test_what_may_be_done_is_done(act: Act, trusting: Room, world: World) -> None:
    outcome = act(post_invoice, ACME, confidence=0.9)
    assert outcome == opsroom.Done(Posted(number=1), outcome.id)
    assert world.done == ["post Acme"]
    assert state_of(trusting, outcome.id) == "succeeded"


def test_the_same_call_happens_once(act: Act, trusting: Room, world: World) -> None:
    assert act(post_invoice, ACME) == act(post_invoice, ACME)
    assert world.done == ["post Acme"]


def test_another_call_under_a_used_key_is_refused(
    trusting: Room, world: World, clerk: str
) -> None:
    with opsroom.turn(clerk, intent="notes", messages=ASKED) as t:
        t.act_sync(send_note, {"text": "one"}, key="k")
        assert isinstance(t.act_sync(send_note, {"text": "one"}, key="k"), opsroom.Done)
        denied = t.act_sync(send_note, {"text": "two"}, key="k")
    assert isinstance(denied, opsroom.Denied)
    assert denied.by == "key_reused"
    assert world.done == ["note one"]


@pytest.mark.parametrize("arguments", [{}, {"text": "a", "extra": 1}, {"text": 1.5}])
def test_what_breaks_the_contract_is_denied(
    trusting: Room, world: World, arguments: dict[str, Any], clerk: str
) -> None:
    with opsroom.turn(clerk, intent="notes") as t:
        denied = t.act_sync(send_note, arguments)
    assert isinstance(denied, opsroom.Denied)
    assert denied.by == "contract"
    assert world.done == []


def test_what_is_not_in_the_manifest_is_denied(room: Room, clerk: str) -> None:
    @opsroom.action("launch")
    def launch() -> None: ...

    with opsroom.turn(clerk, intent="notes") as t:
        denied = t.act_sync(launch)
    assert isinstance(denied, opsroom.Denied)
    assert denied.by == "contract"


def test_code_of_another_version_is_denied(room: Room, clerk: str) -> None:
    @opsroom.action("read_invoice", risk="read", version=2)
    def newer(number: int) -> str:
        return str(number)

    with opsroom.turn(clerk, intent="read") as t:
        denied = t.act_sync(newer, {"number": 7})
    assert isinstance(denied, opsroom.Denied)
    assert "read_invoice@2" in denied.reason


def test_approved_it_goes_on_in_another_process(room: Room, world: World, clerk: str) -> None:
    """Only the ids survive: of the action, to wait on and to resume."""
    with opsroom.turn(clerk, intent="post", messages=ASKED) as t:
        waiting = t.act_sync(post_invoice, ACME)
        t.final("escalated")
    assert isinstance(waiting, opsroom.Pending)
    assert world.done == []
    assert opsroom.approval(waiting.id).wait_sync(timeout=0).state == "pending"
    assert isinstance(opsroom.resume_sync(waiting.id, post_invoice), opsroom.Pending)
    room.approve(waiting)
    answer = opsroom.approval(waiting.id).wait_sync(timeout="10s")
    assert (answer.approved, answer.by, answer.state) == (True, "tester", "approved")
    done = opsroom.resume_sync(waiting.id, post_invoice)
    assert done == opsroom.Done(Posted(number=1), waiting.id)
    assert opsroom.resume_sync(waiting.id, post_invoice) == done
    assert world.done == ["post Acme"]


def test_proposed_again_after_approval_it_is_done(act: Act, room: Room, world: World) -> None:
    """Frameworks run a step from its beginning; the key makes it the same call."""
    room.approve(act(post_invoice, ACME))
    assert isinstance(act(post_invoice, ACME), opsroom.Done)
    assert world.done == ["post Acme"]


def test_edited_it_is_done_as_people_said(room: Room, world: World, clerk: str) -> None:
    async def main() -> None:
        async with opsroom.turn(clerk, intent="note", messages=ASKED) as t:
            waiting = await t.act(send_note, {"text": "theirs"})
            assert isinstance(waiting, opsroom.Pending)
            room.edit(waiting, {"text": "ours"}, reason="kinder")
            answer = await waiting.wait("10s")
            assert answer.edited_args == {"text": "ours"}
            assert isinstance(await t.resume(waiting.id), opsroom.Done)
            t.final("done")

    asyncio.run(main())
    assert world.done == ["note ours"]


def test_rejected_it_is_denied(room: Room, world: World, clerk: str) -> None:
    with opsroom.turn(clerk, intent="note", messages=ASKED) as t:
        waiting = t.act_sync(send_note, {"text": "rude"})
        room.reject(waiting, "rude")
        assert not opsroom.approval(waiting.id).wait_sync("10s").approved
        denied = t.resume_sync(waiting.id)
    assert isinstance(denied, opsroom.Denied)
    assert (denied.by, "rude" in denied.reason) == ("approval", True)
    assert world.done == []


@pytest.mark.parametrize(
    ("error", "kind", "state"),
    [
        (opsroom.NotDone("no such office"), opsroom.Failed, "failed"),
        (ConnectionError("reset"), opsroom.Unknown, "unknown"),
    ],
)
def test_an_error_leaves_the_question_open_unless_it_says_so(
    act: Act, trusting: Room, world: World, error: Exception, kind: type, state: str
) -> None:
    world.errors = [error]
    outcome = act(send_note, {"text": "hello"})
    assert isinstance(outcome, kind)
    assert state_of(trusting, outcome.id) == state
    assert world.done == ["note hello"]


def test_what_may_be_repeated_is_tried_again(act: Act, trusting: Room, world: World) -> None:
    world.errors = [ConnectionError("reset")]
    outcome = act(tag, {"text": "late"})
    assert outcome == opsroom.Done("late", outcome.id)
    assert world.done == ["tag late", "tag late"]


def test_what_takes_too_long_is_unknown(act: Act, trusting: Room, world: World) -> None:
    outcome = act(slow_note, {"text": "hello"})
    assert isinstance(outcome, opsroom.Unknown)
    assert state_of(trusting, outcome.id) == "unknown"


def test_a_cancelled_action_is_unknown(trusting: Room, world: World, clerk: str) -> None:
    async def main() -> str:
        async with opsroom.turn(clerk, intent="note", messages=ASKED) as t:
            acting = asyncio.create_task(t.act(slow_note, {"text": "hello"}))
            while not world.done:  # noqa: ASYNC110  # the function tells nobody that it has begun
                await asyncio.sleep(0.005)
            acting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await acting
            return t.id

    turn = asyncio.run(main())
    assert eventually(lambda: trusting.record(turn)["actions"][0]["state"] == "unknown")


def test_a_lookup_settles_what_is_unknown(act: Act, trusting: Room, world: World) -> None:
    world.errors = [ConnectionError("reset")]
    unknown = act(post_invoice, ACME)
    assert isinstance(unknown, opsroom.Unknown)
    assert act(post_invoice, ACME) == opsroom.Done(Posted(number=88), unknown.id)
    assert world.done == ["post Acme"]
    assert state_of(trusting, unknown.id) == "reconciled"


def test_what_a_lookup_does_not_find_may_be_done_again(
    act: Act, trusting: Room, world: World
) -> None:
    world.errors = [ConnectionError("refused")]
    unknown = act(post_invoice, ACME)
    world.done.clear()  # it never arrived
    again = act(post_invoice, ACME)  # acting alone went wrong, so people are asked from now on
    trusting.approve(again)
    assert again.id != unknown.id
    assert isinstance(opsroom.resume_sync(again.id, post_invoice), opsroom.Done)
    assert world.done == ["post Acme"]


def test_how_a_turn_ends_is_on_record(room: Room, clerk: str) -> None:
    with opsroom.turn(clerk, intent="read") as finished:
        finished.hear("Read invoice 7.")
        finished.observe("search", {"hits": 1}, {"q": "7"})
        finished.plan("read it", alternatives=["ask"])
        finished.act_sync(read_invoice, {"number": 7})
        finished.final("done", {"read": 7})
    with opsroom.turn(clerk, intent="read") as abandoned:
        pass
    failed = opsroom.turn(clerk, intent="read")
    with pytest.raises(LookupError), failed:
        raise LookupError("gone")
    record = room.record(finished.id)
    turn = record["turn"]
    assert (turn["final"], turn["result"], turn["plan"]) == ("done", '{"read": 7}', "read it")
    voices = [(one["voice"], one["tool"]) for one in record["texts"]]
    assert voices == [("user", ""), ("tool", "search"), ("tool", "read_invoice")]
    assert room.record(abandoned.id)["turn"]["final"] == "abandoned"
    ended = room.record(failed.id)["turn"]
    assert (ended["final"], ended["result"]) == ("failed", "LookupError: gone")


def test_mistakes_are_told_at_once(room: Room, clerk: str) -> None:
    with opsroom.turn(clerk, intent="read") as t:
        with pytest.raises(NoSuchFinal):
            t.final("posted")  # type: ignore[arg-type]  # that is the point
        with pytest.raises(NotAnAction):
            t.act_sync(print)  # type: ignore[arg-type]  # that is the point


def test_the_time_of_a_turn_bounds_its_actions(
    trusting: Room, world: World, clerk: str
) -> None:
    with opsroom.turn(clerk, intent="read", deadline=timedelta(seconds=5)) as t:
        assert 4 < (t.remaining or 0) <= 5
    with opsroom.turn(clerk, intent="read", deadline="1h") as long:
        assert long.deadline is not None
    with opsroom.turn(clerk, intent="read") as t:
        assert t.deadline is None


def test_killed_nothing_starts(act: Act, trusting: Room, world: World, clerk: str) -> None:
    trusting.kill(clerk, "it went wild")
    denied = act(send_note, {"text": "hello"})
    assert isinstance(denied, opsroom.Denied)
    assert (denied.by, denied.reason) == ("kill_switch", "it went wild")
    assert world.done == []


def test_killed_while_it_waited_to_start_it_does_not(
    trusting: Room, world: World, monkeypatch: pytest.MonkeyPatch, clerk: str
) -> None:
    """The right to start runs out after two seconds, however long this process was busy."""
    late = opsroom.sdk.gate.Lease.check
    monkeypatch.setattr("opsroom.sdk.gate.Lease.granted", _granted_long_ago(trusting, clerk))
    with opsroom.turn(clerk, intent="note", messages=ASKED) as t:
        denied = t.act_sync(send_note, {"text": "hello"})
    assert isinstance(denied, opsroom.Denied)
    assert denied.by == "kill_switch"
    assert world.done == []
    assert late is opsroom.sdk.gate.Lease.check


def _granted_long_ago(room: Room, agent: str) -> Any:
    def granted(answer: Any, asked_at: float) -> Any:
        room.kill(agent)
        assert answer["lease_seconds"] == 2
        return opsroom.sdk.gate.Lease(asked_at - 0.001)

    return granted


def test_without_an_opsroom_nothing_is_done(world: World, clerk: str) -> None:
    away = opsroom.Opsroom("http://127.0.0.1:9")
    with opsroom.turn(clerk, intent="note", client=away) as t:
        denied = t.act_sync(send_note, {"text": "hello"})
    assert isinstance(denied, opsroom.Denied)
    assert denied.by == "unreachable"
    assert world.done == []
    away.close()


def test_a_person_decided_otherwise(room: Room, clerk: str) -> None:
    with opsroom.turn(clerk, intent="code it") as t:
        t.final("done", "HS 8504.40")
    made = opsroom.override(
        turn=t.id, agent="HS 8504.40", human="HS 8471.30", reason="CPU board, not transformer"
    )
    listed = room.client.get("/v1/overrides")["items"][0]
    assert (listed["id"], listed["subject"]) == (made, f"turn/{t.id}")
