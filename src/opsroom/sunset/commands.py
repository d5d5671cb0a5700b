"""What changes a sunset: proposing, approving, each step of the clock, the end, and calling it off.

One transaction a step, with its journal row. What cannot be taken back is signed by a person who
did not propose it, and refused while anybody calls.
"""

from dataclasses import replace

from opsroom.agents import Ending
from opsroom.agents import commands as agents
from opsroom.agents import queries as agent_queries
from opsroom.agents.errors import AgentRetired
from opsroom.approvals import Answer
from opsroom.approvals import commands as approvals
from opsroom.kit.db import Actor, Tx
from opsroom.kit.reasons import reason as reason_of
from opsroom.registry import Kinds
from opsroom.registry import queries as registry

from . import closing, queries, store, watching
from .errors import (
    BadSunset,
    CallersAlive,
    NoProof,
    NotQuietLongEnough,
    SunsetMoved,
    SunsetUnderWay,
    WrongState,
)
from .model import (
    BEFORE_THE_END,
    Announce,
    Archive,
    AskToSign,
    BeginAnew,
    Close,
    Decision,
    Observed,
    Ramp,
    Seen,
    State,
    Sunset,
    SunsetDraft,
    Wait,
    decide,
    told,
)

SYSTEM = "system:sunset"
MOST_TEXT = 2_000


def clockwork(of: Actor) -> Actor:
    """Who takes the steps that follow by themselves in the project of `of`, whoever asked."""
    return Actor(SYSTEM, of.project, frozenset({"administer"}), human=False)


def propose(tx: Tx, draft: SunsetDraft) -> Sunset:
    """Propose that an agent ends. Nothing changes before somebody else has approved it.

    Raises `ReasonMissing`, `ArtifactNotFound`, `AgentRetired`, `BadSunset` for a successor that
    cannot take over, or `SunsetUnderWay`.
    """
    because = reason_of(draft.because, to="end an agent")[:MOST_TEXT]
    of = registry.artifact(tx, "agent", draft.agent)
    if (closed := agent_queries.retired(tx, draft.agent)) is not None:
        raise AgentRetired(draft.agent, closed.reason)
    _check_successor(tx, draft)
    if (there := store.live_of(tx, draft.agent)) is not None:
        raise SunsetUnderWay(draft.agent, there.id)
    one = Sunset(
        id=tx.ids.new("sun"),
        agent=draft.agent,
        because=because,
        successor=draft.successor,
        plan=draft.plan,
        state=State.PROPOSED,
        proposed_by=tx.actor.person,
        proposed_at=tx.now,
        since=tx.now,
    ).stepped("proposed", now=tx.now, by=tx.actor.name, words=because)
    store.add(tx, one)
    _record(tx, "sunset.proposed", one, because=because, owner=of.owner)
    return one


def approve(tx: Tx, sunset_id: str, *, binding: str, reason: str = "") -> Sunset:
    """Let a proposed sunset begin, exactly as it was shown. Whoever proposed it may not.

    Raises what approvals raise, `SunsetMoved` or `WrongState`.
    """
    one = _in(tx, sunset_id, State.PROPOSED, "approved")
    if one.binding != binding:
        raise SunsetMoved(one.id)
    _sign(tx, one, reason)
    now = replace(one, state=State.APPROVED, since=tx.now).stepped(
        "approved", now=tx.now, by=tx.actor.name, words=reason
    )
    _record(tx, "sunset.approved", now)
    return store.save(tx, now)


def advance(tx: Tx, sunset_id: str, seen: Observed | None, *, kinds: Kinds) -> Decision:
    """Do what the clock and the callers ask for now, one step of it, and say what it was.

    Safe to repeat: a sunset that has to wait only keeps who was seen.
    """
    one = queries.locked(tx, sunset_id)
    decision = decide(one, seen, now=tx.now)
    match decision:
        case Wait():
            _keep_seen(tx, one, seen)
        case Announce():
            _ramp(tx, one, 100)
        case Ramp(to=0):
            _sleep(tx, one)
        case Ramp(to=share):
            _ramp(tx, one, share)
        case BeginAnew():
            _begin_anew(tx, one, seen)
        case AskToSign():
            words = f"nobody called for {one.plan.dormant:g} days"
            now = replace(one, asked=True, seen=seen)
            store.save(tx, now.stepped("quiet", now=tx.now, by=SYSTEM, words=words))
            _record(tx, "sunset.quiet", one, days=one.plan.dormant)
        case Close(what=what):
            now, words = closing.close(tx, one, what)
            now = replace(now, closed=(*now.closed, what))
            store.save(tx, now.stepped(what.value, now=tx.now, by=SYSTEM, words=words))
            _record(tx, "sunset.closed", one, what=what.value, words=words)
        case Archive():
            now = replace(one, state=State.ARCHIVED, since=tx.now)
            words = closing.archive(tx, one, kinds=kinds)
            store.save(tx, now.stepped("archived", now=tx.now, by=SYSTEM, words=words))
            _record(tx, "sunset.archived", one, export=one.export)
    return decision


def decommission(
    tx: Tx, sunset_id: str, seen: Observed, *, binding: str, reason: str = ""
) -> Sunset:
    """Sign the end of an agent that nobody calls: from here there is no way back.

    Its credentials die in this transaction; the rest is closed step by step after it. Whoever
    proposed the sunset may not sign. Raises `CallersAlive` while one caller lives, `NoProof`
    where its traces could not be read, `NotQuietLongEnough`, and what `approve` raises.
    """
    one = _in(tx, sunset_id, State.DORMANT, "decommissioned")
    known = watching.used(tx, one, since=watching.matters_since(one))  # who came in meanwhile
    _prove(tx, one, seen, known)
    if one.binding != binding:
        raise SunsetMoved(one.id)
    _sign(tx, one, reason)
    closed = agents.retire(
        tx, one.agent, reason=one.because, sunset=one.id, successor=one.successor
    )
    proof = (
        f"no call since {one.quiet_since:%Y-%m-%d %H:%M} UTC by tokens, turns and traces, "
        f"{one.plan.dormant:g} days were asked for"
    )
    now = replace(one, state=State.DECOMMISSIONED, since=tx.now, seen=seen)
    now = now.stepped("proof", now=tx.now, by=SYSTEM, words=proof)
    now = now.stepped("signed", now=tx.now, by=tx.actor.name, words=reason[:MOST_TEXT])
    now = now.stepped(
        "credentials",
        now=tx.now,
        by=SYSTEM,
        words=f"no token works since {closed.closed_at:%Y-%m-%d %H:%M} UTC",
    )
    _record(tx, "sunset.decommissioned", now, proof=proof)
    return store.save(tx, now)


def reinstate(tx: Tx, sunset_id: str, *, reason: str) -> Sunset:
    """Call a sunset off: the agent serves everybody again, with the tokens that it has.

    Raises `ReasonMissing`, or `WrongState` once it was decommissioned.
    """
    why = reason_of(reason, to="call a sunset off")[:MOST_TEXT]
    one = queries.locked(tx, sunset_id)
    if one.state not in BEFORE_THE_END:
        raise WrongState(one.id, one.state.value, "called off")
    agents.keep(tx, one.agent)
    now = replace(one, state=State.REINSTATED, since=tx.now, share=100, note=why)
    now = now.stepped("reinstated", now=tx.now, by=tx.actor.name, words=why)
    _record(tx, "sunset.reinstated", now, because=why)
    return store.save(tx, now)


def _check_successor(tx: Tx, draft: SunsetDraft) -> None:
    if not draft.successor:
        return
    if draft.successor == draft.agent:
        raise BadSunset("an agent cannot take over from itself")
    registry.artifact(tx, "agent", draft.successor)
    if agent_queries.retired(tx, draft.successor) is not None:
        raise BadSunset(f"its successor {draft.successor!r} is retired")
    if agent_queries.ending(tx, draft.successor) is not None:
        raise BadSunset(f"its successor {draft.successor!r} is being ended itself")


def _in(tx: Tx, sunset_id: str, state: State, what: str) -> Sunset:
    one = queries.locked(tx, sunset_id)
    if one.state is not state:
        raise WrongState(one.id, one.state.value, what)
    return one


def _sign(tx: Tx, one: Sunset, reason: str) -> None:
    """Put a person's yes to exactly this on record, and use it up."""
    approvals.give(
        tx,
        one.subject,
        one.binding,
        requester=one.proposed_by,
        answer=Answer.APPROVE,
        reason=reason,
    )
    approvals.consume(tx, one.subject, one.binding)


def _prove(tx: Tx, one: Sunset, seen: Observed, known: list[Seen]) -> None:
    since = watching.matters_since(one)
    callers = sorted(
        {*(each for each in seen.callers if each.last_at > since), *known},
        key=lambda each: each.last_at,
        reverse=True,
    )
    if callers:
        raise CallersAlive(one.agent, told(callers), one.successor)
    if not seen.traces_read:
        raise NoProof(one.agent)
    proven = one.proven_at
    if proven is None or tx.now < proven:
        raise NotQuietLongEnough(
            one.agent,
            f"{proven:%Y-%m-%d %H:%M} UTC" if proven else "it is dormant",
            f"{one.plan.dormant:g} days without a call are asked for",
        )


def _ramp(tx: Tx, one: Sunset, share: int) -> None:
    """Serve so many per cent of the calls, in this step of the ramp."""
    first = one.state is not State.DEPRECATING
    now = replace(one, state=State.DEPRECATING, share=share, since=tx.now)
    _serve(tx, now)
    step = "announced" if first else f"ramp_{share}"
    words = f"{share} % of calls are served"
    store.save(tx, now.stepped(step, now=tx.now, by=SYSTEM, words=words))
    _record(tx, "sunset.announced" if first else "sunset.ramped", now, share=share)


def _sleep(tx: Tx, one: Sunset) -> None:
    """Serve nobody any more, and begin to watch whether anybody still calls."""
    now = replace(
        one, state=State.DORMANT, share=0, since=tx.now, quiet_since=tx.now, seen=None
    )
    _serve(tx, now)
    store.save(tx, now.stepped("dormant", now=tx.now, by=SYSTEM, words="no call is served"))
    _record(tx, "sunset.dormant", now, days=one.plan.dormant)


def _serve(tx: Tx, one: Sunset) -> None:
    """Let the agent serve as much as its sunset says, and say until when it serves anybody."""
    before = agent_queries.ending(tx, one.agent)
    agents.wind_down(
        tx,
        Ending(
            agent=one.agent,
            share=one.share,
            successor=one.successor,
            sunset=one.id,
            since=tx.now if before is None else before.since,
            ends=tx.now + one.plan.ramp if before is None else before.ends,
        ),
    )


def _begin_anew(tx: Tx, one: Sunset, seen: Observed | None) -> None:
    assert seen is not None, "somebody was seen"
    names = {(each.by, each.caller, each.token) for each in seen.callers}
    before = one.seen.callers if one.seen else ()
    news = names - {(each.by, each.caller, each.token) for each in before}
    now = replace(one, quiet_since=seen.last, seen=seen, asked=False)
    store.save(tx, now)
    if news:
        _record(tx, "sunset.caller_seen", one, callers=told(seen.callers))


def _keep_seen(tx: Tx, one: Sunset, seen: Observed | None) -> None:
    if seen is None or one.over:
        return
    if one.seen is not None and one.seen.callers == seen.callers and one.asked:
        return
    store.save(tx, replace(one, seen=seen if seen.callers else _still(one, seen)))


def _still(one: Sunset, seen: Observed) -> Observed:
    """What was seen, with the callers that broke the silence before: they are who to look for."""
    return seen if one.seen is None else replace(seen, callers=one.seen.callers)


def _record(tx: Tx, event: str, one: Sunset, **facts: object) -> None:
    tx.record(event, one.subject, agent=one.agent, successor=one.successor, **facts)
