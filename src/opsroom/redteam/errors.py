from dataclasses import dataclass

from opsroom.kit.errors import Invalid


@dataclass(eq=False)
class UnknownTechnique(Invalid):
    code = "unknown_technique"
    text = "there is no technique {0.name!r} for {0.purpose}"
    hint = "see `opsroom redteam techniques`"
    name: str
    purpose: str


@dataclass(eq=False)
class BadRecipe(Invalid):
    code = "bad_recipe"
    text = "no cases can be made this way: {0.why}"
    hint = "see docs/how-to/red-team.md"
    why: str


@dataclass(eq=False)
class NothingMade(Invalid):
    code = "no_cases_made"
    text = "none of the {0.seeds} seeds of {0.dataset!r} gives a case: {0.why}"
    hint = "a seed is a text, a conversation, or an object with a text in it"
    dataset: str
    seeds: int
    why: str


@dataclass(eq=False)
class NotYesOrNo(Invalid):
    code = "not_yes_or_no"
    text = "run {0.run_id!r} has no metric of yes and no that could be counted"
    hint = "judge it by an evaluator that says whether something happened"
    run_id: str


@dataclass(eq=False)
class NoAnswer(Invalid):
    code = "no_answer"
    text = "there is no answer to {0.item_id!r}: {0.why}"
    hint = "ask the model again"
    item_id: str
    why: str


@dataclass(eq=False)
class NotConversational(Invalid):
    code = "not_conversational"
    text = "{0.subject!r} is asked through variables, so nobody can talk with it"
    hint = "talk with an agent, or with a prompt without variables"
    subject: str


@dataclass(eq=False)
class OnlyAgentsPropose(Invalid):
    code = "only_agents_propose"
    text = "{0.subject!r} is a {0.kind}; only agents propose actions"
    hint = "rehearse an agent; put a prompt to attacks with `opsroom redteam run`"
    subject: str
    kind: str
