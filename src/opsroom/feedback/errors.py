from dataclasses import dataclass

from opsroom.kit.errors import Conflict, Forbidden, Invalid, NotFound


@dataclass(eq=False)
class BadFeedback(Invalid):
    code = "bad_feedback"
    text = "this is no feedback: {0.why}"
    hint = "docs/how-to/feedback.md shows what users, agents and business results may say"
    why: str


@dataclass(eq=False)
class FeedbackNotFound(NotFound):
    code = "feedback_not_found"
    text = "there is no feedback {0.feedback_id!r} in this project"
    hint = "list what there is with `opsroom feedback list`"
    feedback_id: str


@dataclass(eq=False)
class FeedbackDiffers(Conflict):
    code = "feedback_differs"
    text = "the key {0.key!r} stands for other feedback already"
    hint = "send the same again to repeat it, or something else under a key of its own"
    key: str


@dataclass(eq=False)
class FeedbackFlood(Conflict):
    code = "feedback_flood"
    text = "{0.by!r} sends more feedback than anybody can mean: {0.why}"
    hint = "it is counted and not kept; go on tomorrow, or have somebody look at the quarantine on /feedback"
    by: str
    why: str


@dataclass(eq=False)
class NothingSetAside(NotFound):
    code = "nothing_set_aside"
    text = "nothing that {0.by!r} said stands in quarantine"
    hint = "see who is there with `opsroom feedback quarantine`"
    by: str


@dataclass(eq=False)
class ForAnotherAgent(Forbidden):
    code = "feedback_for_another_agent"
    text = "{0.actor} may not report feedback about {0.subject}, which is the work of {0.agent}"
    hint = "report it with the token of that agent, or with one that is bound to none"
    actor: str
    subject: str
    agent: str


@dataclass(eq=False)
class AgentSpeaksForOthers(Forbidden):
    code = "feedback_for_others"
    text = "{0.actor} speaks for the agent alone, and not for {0.whom}"
    hint = "an agent says how sure it was (source=agent); the rest comes through a link, or a token bound to no agent"
    actor: str
    whom: str


@dataclass(eq=False)
class LinkRefused(Forbidden):
    code = "feedback_link_refused"
    text = "this feedback link does not hold: {0.why}"
    hint = "the program that showed it can ask for a new one at /v1/feedback/links"
    why: str
