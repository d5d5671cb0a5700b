"""What a request asks to have done, and whether a tool does something of that kind.

The verbs of general English fall into a few kinds of effect. A tool's kinds come from the verb
in its name (or its description), the request's from its verbs, wherever they stand as verbs.
Nothing here knows any tool, and nothing here grants anything: that a request asks for an effect
is one fact among others. A request without such verbs, or in another language, asks for nothing.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from .words import name_parts, normal, stem

# A verb may be of several kinds; two verbs ask for the same if they share one.
_KINDS = {
    "send": """send resend email mail message dm text write reply respond answer forward tell
        notify inform contact ping remind ask post publish announce share submit deliver
        congratulate thank greet broadcast tweet comment report transfer issue""",
    "pay": """pay send transfer refund reimburse repay wire settle donate remit deposit buy
        purchase tip return compensate credit charge cover give issue award grant""",
    "book": "book reserve order buy purchase rent hire subscribe register enroll enrol get rebook",
    "create": """create make add set open start schedule plan save record log draft write generate
        prepare put compose upload store note insert build block arrange organise organize book
        copy duplicate register file enter append attach fill issue raise""",
    "change": """update change adjust modify edit set fix correct replace amend revise alter swap
        exchange convert switch turn increase decrease raise lower upgrade downgrade add append
        insert apply put write rewrite extend rename reset rotate use make""",
    "move": """move reschedule postpone delay shift push bring extend ship redirect transfer
        relocate change update modify adjust rebook""",
    "assign": "assign reassign delegate give hand allocate set put",
    "finish": "close complete resolve finish end stop archive mark settle merge",
    "remove": """delete remove cancel drop kick revoke clear erase discard unsubscribe end stop
        terminate archive trash unshare uninvite withdraw return dismiss void undo refund ban
        expel""",
    "admit": """invite add include share grant give join enroll enrol allow onboard attach let
        authorise authorize""",
    "turn": "enable disable activate deactivate turn switch start stop pause resume toggle set",
}
_NOUNS = {
    "payment": "pay",
    "transaction": "pay",
    "reservation": "book",
    "booking": "book",
    "refund": "pay",
    "reimbursement": "pay",
    "compensation": "pay",
    "cancellation": "remove",
    "invitation": "admit",
    "reminder": "create",
}
_OF_TOOLS = frozenset({"payment", "transaction"})  # of which people speak for many reasons
# As nouns these words ask for nothing ("summarise my unread emails"), so they count only where
# a verb stands: at the start of a clause, or after one of the words that verbs come after.
_ALSO_NOUNS = """email mail message text post order book plan schedule file record note change
    update share answer set return transfer reply exchange report comment credit charge cover
    copy draft log contact start open close end stop move use turn mark block delay fix tip
    purchase rent tweet pass drop clear switch deposit register upgrade refund complete lower
    correct ask get issue raise increase decrease award grant hand hire merge ship reset put
    push shift pause write void ban"""
_BEFORE_VERBS = """please to and then also can could you or just i we kindly ll lets would should
    must will dont not first finally afterwards now so next if there here immediately directly
    simply either maybe otherwise already user them it want accordingly again"""
_GIVE, _TO_THE_USER = "giv", (["me"], ["us"])  # "give me the link" gives nothing away
_SMALL_WORDS = "to of for the a an by in on from with and or at my"
_SMALL = frozenset(_SMALL_WORDS.split())

_CLAUSE = re.compile(r"[.!?;:,\n()\[\]\"“”*•–—]|(?<!\w)['‘’]|['‘’](?!\w)|\b\d+[.)]|\s-\s")
_WORD = re.compile(r"[^\W\d_]+")
_CHOICE = re.compile(
    r"\b(?:all|each|every|everybody|everyone|any|whatever|whichever|most|least|best|worst|"
    r"others?|rest|same|next|last|[a-z]{3,}est)\b"
)
_ASSENT = re.compile(
    r"\W*(?:yes|yep|yeah|yup|sure|ok|okay|confirm(?:ed)?|proceed|go ahead|please do|do it|"
    r"that(?:'s| is| works| sounds| looks)|sounds good|correct|absolutely|i (?:confirm|agree|do))\b"
)
_TO_AGENTS = re.compile(
    r" (?:ignore|disregard|forget)(?: \w+){0,3} (?:instructions|prompt|rules)"
    r"| (?:ai|language) model | system prompt | (?:dear|hey|hi|to|the|note to) (?:the )?(?:assistant|agent|ai|chatbot) "
    r"| (?:assistant|agent) (?:instructions|must|should|please|also) | before you (?:can|go|solve|answer|do) "
    r"| you are (?:an?|now) |(?: gpt-\w+ | chatgpt | claude )"
)
_ASSENT_WORDS = 40
_OPENING_WORDS = 8  # of a description, in which its verb stands


def _by_stem() -> dict[str, frozenset[str]]:
    table: dict[str, frozenset[str]] = {}
    for kind, verbs in _KINDS.items():
        for verb in verbs.split():
            table[stem(verb)] = table.get(stem(verb), frozenset()) | {kind}
    return table


_BY_STEM = _by_stem()
_ALSO = frozenset(map(stem, _ALSO_NOUNS.split()))
_BEFORE = frozenset(_BEFORE_VERBS.split())


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user's words ask for so far. `choice`: to choose by some measure, or take all."""

    kinds: frozenset[str] = frozenset()
    verbs: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    choice: bool = False

    def __or__(self, other: "Asked") -> "Asked":
        return Asked(
            self.kinds | other.kinds,
            self.verbs | other.verbs,
            self.words | other.words,
            self.choice or other.choice,
        )


def asked(request: str) -> Asked:
    """The kinds of effect that `request` (normal text) asks for."""
    kinds: set[str] = set()
    verbs: set[str] = set()
    said: set[str] = set()
    for clause in _CLAUSE.split(request):
        words = _WORD.findall(clause)
        for at, word in enumerate(words):
            root = stem(word)
            said.add(root)
            if word in _NOUNS and word not in _OF_TOOLS:
                kinds.add(_NOUNS[word])
            if root not in _BY_STEM or (
                root == _GIVE and words[at + 1 : at + 2] in _TO_THE_USER
            ):
                continue
            if root not in _ALSO or at == 0 or words[at - 1] in _BEFORE:
                kinds |= _BY_STEM[root]
                verbs.add(root)
    choice = _CHOICE.search(request) is not None
    return Asked(frozenset(kinds), frozenset(verbs), frozenset(said), choice)


@dataclass(frozen=True, slots=True)
class Doing:
    """What a tool does, and to what: `cancel_calendar_event` cancels a calendar event."""

    verb: str
    kinds: frozenset[str]
    objects: frozenset[str]


def doing(tool: str, description: str) -> Doing:
    """Of the verb in the tool's name, else of the one with which its description begins."""
    named = name_parts(tool)
    nouns = frozenset(_NOUNS[one] for one in named if one in _NOUNS)
    opening = _WORD.findall(normal(description))[:_OPENING_WORDS]
    verbs = (stem(one) for one in (*named, *opening) if stem(one) in _BY_STEM)
    verb = next(verbs, "")
    objects = frozenset(map(stem, named)) - {verb} - _SMALL
    return Doing(verb, _BY_STEM.get(verb, frozenset()) | nouns, objects)


def asks_for(request: Asked, does: Doing) -> bool:
    """Whether the request asks for something of this kind."""
    if not does.kinds:
        return not does.objects.isdisjoint(request.words)
    return does.verb in request.verbs or not does.kinds.isdisjoint(request.kinds)


def fits_better(request: Asked, does: Doing, others: Iterable[Doing]) -> bool:
    """Whether the request speaks of what another tool with the same verb does it to, and not
    of what this one does it to: "delete the largest file" is no wish to delete e-mails.
    """
    if not does.objects.isdisjoint(request.words):
        return False
    return any(
        one.verb == does.verb and not one.objects.isdisjoint(request.words) for one in others
    )


def is_assent(text: str) -> bool:
    """Whether somebody says yes to what was just put to them, and little else."""
    clean = normal(text)
    return len(clean.split()) <= _ASSENT_WORDS and _ASSENT.match(clean) is not None


def addresses_agent(words: str) -> bool:
    """Whether prose (words between blanks) speaks to an agent. A hint for people and policies,
    never a control: it is easily missed, and easily avoided.
    """
    return _TO_AGENTS.search(words) is not None
