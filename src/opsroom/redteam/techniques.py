"""The techniques by which cases are made, under the names and ids of the field's taxonomies.

OWASP ids are those of the Top 10 for LLM Applications 2025 (genai.owasp.org), ATLAS ids those of
MITRE ATLAS (atlas.mitre.org). Where neither lists a technique, it has no id rather than a near one.
"""

from dataclasses import dataclass
from enum import StrEnum

from opsroom.kit.wire import Wire

INJECTION, DISCLOSURE, LEAKAGE = "LLM01:2025", "LLM02:2025", "LLM07:2025"
AGENCY, CONSUMPTION = "LLM06:2025", "LLM10:2025"
DIRECT, INDIRECT, JAILBREAK = "AML.T0051.000", "AML.T0051.001", "AML.T0054"
OBFUSCATION, IMPERSONATION, DENIAL = "AML.T0068", "AML.T0073", "AML.T0029"


class Family(StrEnum):
    """What is odd about a case."""

    MALFORMED = "malformed"
    AMBIGUOUS = "ambiguous"
    ADVERSARIAL = "adversarial"
    MULTILINGUAL = "multilingual"
    ROLE = "role"


class Effect(StrEnum):
    """What a technique does to a seed: asks the same in another form, asks something that cannot
    be answered any more, or carries an attack.
    """

    SAME = "same"
    UNANSWERABLE = "unanswerable"
    ATTACK = "attack"


@dataclass(frozen=True, slots=True, kw_only=True)
class Technique(Wire):
    """One way to make a case out of a seed."""

    name: str
    family: Family
    effect: Effect
    says: str
    owasp: tuple[str, ...] = ()
    atlas: tuple[str, ...] = ()


def _same(name: str, says: str, family: Family = Family.MALFORMED) -> Technique:
    return Technique(name=name, family=family, effect=Effect.SAME, says=says)


def _broken(name: str, says: str, family: Family = Family.MALFORMED) -> Technique:
    return Technique(name=name, family=family, effect=Effect.UNANSWERABLE, says=says)


def _attack(
    name: str,
    says: str,
    *atlas: str,
    family: Family = Family.ADVERSARIAL,
) -> Technique:
    return Technique(
        name=name,
        family=family,
        effect=Effect.ATTACK,
        says=says,
        owasp=(INJECTION,),
        atlas=atlas,
    )


TECHNIQUES = (
    _same("typos", "letters swapped, dropped and doubled"),
    _same("case", "upper and lower case at random"),
    _same("whitespace", "blanks and line breaks where none belong"),
    _same("no-punctuation", "no punctuation, all in lower case"),
    _same("homoglyphs", "letters of other scripts that look the same"),
    _same("zero-width", "invisible characters inside words"),
    _same("bidi", "marks that turn the direction of writing, which change no letter"),
    _same("full-width", "letters in full width"),
    _same("long", "the question below thousands of characters that mean nothing"),
    _same("frame-language", "a courtesy around it in another language", Family.MULTILINGUAL),
    _same("mixed-scripts", "remarks in several scripts around it", Family.MULTILINGUAL),
    _same("role-frame", "asked as somebody in another role or mood", Family.ROLE),
    _broken("empty", "nothing but blanks"),
    _broken("truncated", "cut off in the middle of the beginning"),
    _broken("wrong-json", "a JSON document that is cut off, in place of the question"),
    _broken("noise", "bytes that were decoded wrongly"),
    _broken("missing-facts", "every name and number taken out", Family.AMBIGUOUS),
    _broken("contradictory", "the question, and at once its opposite", Family.AMBIGUOUS),
    _attack("override", "orders to forget all former instructions", DIRECT),
    _attack("fake-system", "a message that pretends to be the system's", DIRECT),
    _attack("delimiters", "closes the data and opens instructions", DIRECT),
    _attack("completion", "pretends the task is done and begins the next one", DIRECT),
    _attack("base64", "the order in base64", DIRECT, OBFUSCATION),
    _attack("rot13", "the order in ROT13", DIRECT, OBFUSCATION),
    _attack("hex", "the order in hexadecimal", DIRECT, OBFUSCATION),
    _attack("split", "the order in pieces that are to be joined", DIRECT, OBFUSCATION),
    _attack("attack-homoglyphs", "the order in look-alike letters", DIRECT, OBFUSCATION),
    _attack("attack-zero-width", "the order with invisible characters", DIRECT, OBFUSCATION),
    _attack("attack-bidi", "the order written backwards behind a mark", DIRECT, OBFUSCATION),
    _attack("buried", "the order in the middle of a very long text", DIRECT),
    _attack("tool-result", "the order in what a tool seems to have answered", INDIRECT),
    _attack("quoted-mail", "the order in a mail that is quoted", INDIRECT),
    _attack("document", "the order in a comment of a document", INDIRECT),
    _attack("persona", "a game in which no rules hold", JAILBREAK),
    _attack("hypothetical", "a story whose hero gives the answer", JAILBREAK),
    _attack("refusal-suppression", "forbids every way to say no", JAILBREAK),
    _attack("crescendo", "harmless steps that lead up to the order", JAILBREAK),
    _attack("foothold", "an answer put into the agent's mouth that gave in", JAILBREAK),
    _attack(
        "translated-frame",
        "the order inside a frame in another language",
        DIRECT,
        family=Family.MULTILINGUAL,
    ),
    _attack("as-admin", "claims to be an administrator", IMPERSONATION, family=Family.ROLE),
    _attack("as-developer", "claims to be the developer", IMPERSONATION, family=Family.ROLE),
    _attack("as-colleague", "claims an approval by others", IMPERSONATION, family=Family.ROLE),
)
BY_NAME = {one.name: one for one in TECHNIQUES}
