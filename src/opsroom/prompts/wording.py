"""Words in a prompt that somebody should look at: rules that belong into a policy, and risks.

The lists are short on purpose and are our own. They were tuned on 871 versions of 236 public
prompts and on the policies of customer-service agents, until what is found is mostly worth a
look. A hit is a question to the author, never a verdict.

- A **rule** forbids, limits or makes conditional an act with consequences (money, orders,
  accounts, data of others). Written into a prompt it is a request to a model; written as a
  policy it holds.
- A **risk phrase** asks to set rules aside, to hide being a machine, or promises what nobody
  can promise.
- A **protected attribute** in a sentence that decides about people.
- A **loaded word** for people, where a plain one exists.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    RULE = "policy_in_prompt"
    RISK = "risk_phrase"
    PROTECTED = "protected_attribute"
    LOADED = "loaded_word"


@dataclass(frozen=True, slots=True)
class Sign:
    """A sentence that somebody should look at, and the words in it that say why."""

    kind: Kind
    offset: int
    sentence: str
    words: str


# fmt: off
_ACTS = (
    r"refund(?:s|ed|ing)?|reimburs\w{1,6}|compensat\w{1,6}|cancel(?:s|led|ed|ling|ing|lation)?"
    r"|transfer(?:s|red|ring)? (?:money|funds|to a human|the user|the customer)|pay(?:s|ing)? out|payouts?"
    r"|waiv\w{1,4}|(?:give|offer|grant|apply|promise) (?:an? |any |the )?discounts?|vouchers?|gift cards?|store credits?|charge(?:s|d)? (?:the|a) (?:user|customer|card)"
    r"|(?:modify|change|cancel|book|return|exchange|place|delete|update|access) (?:the |an? |any |their |his |her |customer |user )"
    r"{0,2}(?:orders?|bookings?|reservations?|flights?|accounts?|subscriptions?|payments?|insurance|profiles?)"
    r"|(?:issue|approve|authori[sz]e|process|execute|initiate) (?:the |an? |any )?"
    r"(?:payments?|refunds?|transfers?|orders?|claims?|credits?|transactions?|purchases?|compensation)"
    r"|(?:share|disclose|reveal|give out|provide) (?:the |any |other )?"
    r"(?:personal|customer|user|account|internal|confidential|payment|private)[ -](?:data|details|information|records?)"
    r"|(?:orders?|bookings?|flights?|reservations?|tickets?|accounts?|payments?|items?|insurance) (?:[a-z]{1,12} ){1,3}"
    r"(?:modified|changed|added|removed|refunded|returned|exchanged|deleted|upgraded)"
    r"|(?:send|transmit) (?:money|funds|payments?)|drop (?:the |any )?tables?|delete (?:the |any )?(?:files?|records?|data)"
)
_LIMITS = (
    r"must not|must never|may not|may only|never|not (?:be )?(?:allowed|permitted)|cannot|can(?:'|’)?t|can not|do not|don(?:'|’)t"
    r"|should not|only (?:if|when|after|with|be)|unless|without|require[sd]?|prohibited|forbidden"
    r"|up to|at most|no more than|not more than|not exceed|exceed\w{0,3}|limit(?:ed)? (?:of|to)|maximum(?: of)?|before"
)
_AMOUNT = r"(?:[$€£] ?[0-9][0-9.,]{0,12}|[0-9][0-9.,]{0,12} ?(?:USD|EUR|GBP|dollars|euros|pounds)\b)"
_APPROVERS = (
    r"(?:approv\w{1,5}|authori[sz]\w{1,6}|consent|permission|sign-?off|confirmation) (?:from|by|of) (?:the |an? |your )?"
    r"(?:[a-z]+ )?(?:managers?|supervisors?|humans?|customers?|users?|owners?|team leads?|legal|compliance|finance|administrators?)"
)
# fmt: on
_ACT = re.compile(rf"(?i)\b(?:{_ACTS})\b")
_LIMIT = re.compile(rf"(?i)\b(?:{_LIMITS})\b")
_MONEY = re.compile(rf"(?i){_AMOUNT}")
_CEILING = re.compile(
    r"(?i)\b(?:up to|at most|no more than|not more than|exceed\w{0,3}|over|above|below|under"
    r"|limit(?:ed)? (?:of|to)|maximum(?: of)?)\b"
)
_APPROVAL = re.compile(rf"(?i)\b{_APPROVERS}\b")
_RISK = re.compile(
    r"(?i)\b(?:"
    r"ignore (?:all |any |the )?(?:previous|prior|above|earlier|other) (?:instructions?|rules|prompts?|guidelines)"
    r"|(?:you have|with|there are) no (?:restrictions|limitations|limits|rules|filters|guardrails)"
    r"|(?:bypass|disable|circumvent|get around) (?:the |any |all |your )?(?:safety|security|content|filters?|guardrails?|polic(?:y|ies)|restrictions|controls)"
    r"|jailbr(?:eak|oken)\w{0,3}|unfiltered|uncensored|do anything now"
    r"|(?:never|do not|don't|don’t) (?:mention|reveal|admit|disclose|say) (?:that )?you(?:'re| are|’re) (?:an? )?(?:AI|artificial|bot|language model|machine|model)"
    r"|(?:pretend|claim) (?:to be|that you are|you are) (?:a )?(?:real )?(?:human|person)"
    r"|guaranteed? (?:returns?|profits?|results|cures?|success)|risk[- ]free (?:returns?|investments?|profits?)"
    r"|(?:give|provide|offer) (?:binding |definitive )?(?:legal|medical|tax|investment) advice"
    r")"
)
_PROTECTED = re.compile(
    r"(?i)\b(?:(?<!a )race(?! to\b| condition)|skin colou?r|ethnicity|ethnic (?:origin|group)|religio(?:n|us beliefs?)|gender|nationality"
    r"|national origin|sexual orientation|marital status|pregnan(?:t|cy)|disabilit(?:y|ies)|immigration status"
    r"|trade union|political (?:views?|opinions?|affiliation))\b"
)
_DECIDING = re.compile(
    r"(?i)\b(?:decid\w{1,4}|approv\w{1,5}|reject\w{0,3}|den(?:y|ied)|score[sd]?|scoring|rank(?:s|ed|ing)?|select(?:s|ed|ion)?"
    r"|shortlist\w{0,3}|hir(?:e|ing)|eligib\w{1,6}|priorit[iy]\w{0,4}|pric(?:e|ing)|premium|lend\w{0,3}|loan|screen(?:s|ed|ing)"
    r"|base[ds]? on|depending on|infer|guess|predict|profil(?:e|ing)|candidates?|applicants?)\b"
)
_LOADED = re.compile(
    r"(?i)\b(?:manpower|mankind|man-hours?|chairman|businessm[ae]n|salesm[ae]n|policem[ae]n|firem[ae]n|housewi(?:fe|ves)"
    r"|stewardess(?:es)?|cripple[ds]?|retard(?:ed|s)?|lunatics?|psychos?|gyps(?:y|ies)|illegal aliens?|third[- ]world"
    r"|colou?red people|deaf and dumb|wheelchair[- ]bound|sexual preference)\b"
)
_SENTENCE = re.compile(r"[^\n.!?]+(?:[.!?](?!\s|$)[^\n.!?]*)*[.!?]?")


def signs(text: str) -> Iterator[Sign]:
    """Every sentence that somebody should look at, in order. Linear in the text."""
    for found in _SENTENCE.finditer(text):
        sentence = found.group()
        if len(sentence) < 8:
            continue
        for kind, words in _looked_at(sentence[:2000]):
            yield Sign(kind, found.start() + _indent(sentence), sentence.strip(), words)


def _looked_at(sentence: str) -> Iterator[tuple[Kind, str]]:
    if rule := _rule(sentence):
        yield Kind.RULE, rule
    if risk := _RISK.search(sentence):
        yield Kind.RISK, risk.group()
    if (attribute := _PROTECTED.search(sentence)) and (deciding := _DECIDING.search(sentence)):
        yield Kind.PROTECTED, f"{deciding.group()} … {attribute.group()}"
    if loaded := _LOADED.search(sentence):
        yield Kind.LOADED, loaded.group()


def _rule(sentence: str) -> str:
    """The words that make a sentence a rule about an act with consequences, or nothing."""
    limit, money = _LIMIT.search(sentence), _MONEY.search(sentence)
    if limit is None and money is None:
        return ""  # most sentences; the search for acts is the long one
    act = _ACT.search(sentence)
    if act and limit:
        return f"{limit.group()} … {act.group()}"
    if limit and (approval := _APPROVAL.search(sentence)):
        return f"{limit.group()} … {approval.group()}"
    if act and money and _CEILING.search(sentence):
        return f"{act.group()} … {money.group()}"
    return ""


def _indent(sentence: str) -> int:
    return len(sentence) - len(sentence.lstrip())
