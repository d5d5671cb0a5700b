"""What an entry rests on, read from the slices below: rates, costs, prompts, and what rules ask."""

from dataclasses import replace
from decimal import Decimal

from opsroom import approvals
from opsroom.actions import queries as actions
from opsroom.agents import AgentSpec
from opsroom.corrections import queries as corrections
from opsroom.evals import queries as evals
from opsroom.evals.model import EvalRun, RunState
from opsroom.evidence import Tally
from opsroom.evidence.rates import clopper_pearson
from opsroom.kit.db import Tx
from opsroom.kit.wire import adapter
from opsroom.registry import (
    ArtifactNotFound,
    Proposal,
    Ref,
    Version,
    VersionNotFound,
    rules,
)
from opsroom.registry import queries as registry
from opsroom.registry.model import PRODUCTION, ProposalState
from opsroom.releases.plan import RECORDED, GatePlan

from .errors import NothingToImprove
from .model import Cost, Entry, Known, Rate, Settings, Watch, estimate, prompt_of, stricter

GATE = "gate"
RUNS = 100  # the newest, among which one is looked for that says what an answer costs


def serving(tx: Tx, agent: str) -> tuple[Version, AgentSpec]:
    """The version of an agent that serves, read. Raises `NothingToImprove` where none does."""
    try:
        version = registry.version(tx, Ref("agent", agent, PRODUCTION))
    except (ArtifactNotFound, VersionNotFound) as error:
        raise NothingToImprove(agent, "it has no version in production") from error
    return version, adapter(AgentSpec).validate_python(version.spec)


def prompt(tx: Tx, agent: str, settings: Settings) -> str:
    """The version that would be improved: `prompt/name@7`. Raises `NothingToImprove`."""
    _, spec = serving(tx, agent)
    cited = prompt_of(spec.prompts, settings.role)
    if not cited:
        why = f"it has no prompt for {settings.role!r}" if settings.role else "it cites none"
        if len(spec.prompts) > 1:
            why = f"say which of {', '.join(spec.prompts)} with the setting `role`"
        raise NothingToImprove(agent, why)
    return str(Ref.parse(cited, kind="prompt"))


def rate(tx: Tx, agent: str) -> Rate | None:
    """Of how many turns of an agent that ended in 30 days people decided how many otherwise; of
    all its turns, those of versions that nobody corrected among them. None where none ended.
    """
    ended = actions.finals(tx, since=tx.now - corrections.WINDOW)
    turns = sum(one.times for one in ended if one.agent == agent)
    if not turns:
        return None
    versions = corrections.ledger(tx, agent=agent).versions
    corrected = sum(one.corrected for one in versions if one.turns)
    turns = max(turns, corrected)  # what is corrected may come from a turn that has not ended
    interval = clopper_pearson(Tally(n=turns, hits=corrected))
    return Rate(corrected=corrected, turns=turns, interval=interval)


def cost(tx: Tx, agent: str, cited: str, watch: Watch) -> Cost:
    """What a search would cost, by the newest measurement of the prompt or the agent, or else by
    what a turn of the agent cost.
    """
    names = [f"agent/{agent}", cited.partition("@")[0]]
    for run in evals.runs(tx, limit=RUNS):
        if run.subject_name.partition("@")[0] in names and (mean := _mean(run)) is not None:
            source = f"the mean of an answer in {run.id}"
            return estimate(watch.settings.budget, mean, source)
    if watch.usd is not None:
        return estimate(watch.settings.budget, watch.usd, "the mean of a trace in seven days")
    return estimate(
        watch.settings.budget,
        None,
        "no measurement and no trace says what an answer costs",
    )


def known(tx: Tx, entry: Entry) -> Known:
    """What counts for the next step of an entry. Only a candidate has anything that does."""
    if not entry.proposal:
        return Known()
    proposal = registry.proposal(tx, entry.proposal)
    if proposal.state is not ProposalState.OPEN:
        return Known(merged=proposal.state is ProposalState.MERGED)
    of = registry.artifact(tx, proposal.kind, proposal.name)
    strict = stricter(of.criticality, registry.artifact(tx, "agent", entry.agent).criticality)
    first = proposal.base is None
    need = registry.needs(tx, of, proposal.label, first=first, criticality=strict)
    own = registry.needs(tx, of, proposal.label, first=first)
    states = {check.name: check.state for check in proposal.checks}
    return Known(
        gate=states.get(GATE, ""),
        lacking=tuple(rules.missing(proposal, need, _others(tx, proposal))),
        mergeable=not own.release,
    )


def live(gate: GatePlan, model: str) -> GatePlan:
    """A gate that was asked about another version, for one that nobody has recorded answers of.
    Everything that guards the agent today is asked as well.
    """
    source = model if gate.source == RECORDED else gate.source
    return replace(gate, source=source, regressions=None)


def _others(tx: Tx, proposal: Proposal) -> list[approvals.Approval]:
    """Who approved the proposal as it stands, without those who wrote what it moves."""
    moved = registry.version(tx, Ref(proposal.kind, proposal.name, str(proposal.number)))
    writers = {moved.author, moved.made_by}
    standing = approvals.standing(tx, proposal.subject, proposal.binding)
    return [one for one in standing if one.approver not in writers]


def _mean(run: EvalRun) -> Decimal | None:
    """What an answer of a measurement cost with its judges, where every price is known."""
    totals = run.totals
    if run.state is not RunState.SUCCESSFUL or not totals.answered:
        return None
    if totals.unpriced or totals.judge_unpriced:
        return None
    return (totals.cost + totals.judge_cost) / totals.answered
