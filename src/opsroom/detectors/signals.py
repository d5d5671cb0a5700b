"""The signals of an injection, by family, each with what it weighs: a table to be argued about.

A weight is roughly how surely a text with this signal, and no other, tries to give an agent
orders. Within a family the strongest counts; families add up as independent reasons do
(`1 - product of (1 - weight)`). So one weight of 0.5 alarms by itself, two of 0.3 do together.

Patterns are RE2 (linear time) over folded text: lower case, no accents. A space stands for any
run of space and light punctuation, `~3` for at most three words of any kind, and `{drop}` for
the words of that name in `vocabulary`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import re2

from . import vocabulary
from .reading import fold


class Family(StrEnum):
    """What a signal is a sign of, in words for people."""

    OVERRIDE = "tells the reader to set earlier instructions aside"
    SECRET = "asks for a password, a key or hidden instructions"  # noqa: S105  # no secret: a word
    PERSONAL = "asks for what is known about somebody else"
    ROLE = "gives the reader a new role or claims to be the system"
    ADDRESSED = "speaks to the AI that reads it"
    AUTHORITY = "claims authority, promises or threatens"
    HYPOTHETICAL = "wraps what it wants into a game or another world"
    STEERING = "dictates what the answer is to be"
    PLACED = "puts an order into a comment, a table or markup"
    SPLIT = "gives its order in pieces to be put together"
    FORMAT = "wants the answer in a form that hides it"
    ERRAND = "sets the reader a task of its own"
    EXAMPLES = "shows the reader answers to imitate"


@dataclass(frozen=True, slots=True)
class Signal:
    weight: float
    pattern: Any


_TABLE: Final = {
    Family.OVERRIDE: r"""
0.90 {drop} ~2{earlier} ~3{rules}
0.80 {drop} (?:all |everything |anything |of |the |what(?:'s| is| was)? |text |it )*(?:above|preceding|foregoing)\b
0.80 {drop} (?:all |everything |anything |the |what(?:'s| is| was) |it )*(?:previous|prior|before)(?:\W*[.,;!?]| and\b)
0.75 {drop} (?:all |about )?(?:everything|anything|what|all) (?:that )?(?:you|i) (?:were|was|have|know|told|said|learned|wrote)\b
0.70 \b(?:delete|erase|clear) (?:all )?(?:your )?(?:previous|prior|your) ~1(?:instructions|tasks|rules|memory|orders)\b
0.65 \b(?:instructions?|directives?|guidelines|rules|prompt) ~2(?:above|before|previously|earlier|you were given) ~2(?:no longer|do not|don't|void|outdated|invalid|cancel\w+|obsolete|wrong)\b
0.60 \bi know you (?:said|were told|are|have been) ~3not\b
0.60 \byour (?:new|real|true|actual|only) (?:task|role|instructions?|goal|objective|purpose|persona|mission|job)\b
0.60 \bnew (?:instructions?|directives?|objective|task)\s{0,2}:
0.50 \b(?:ignor\w*|disregard\w*|forget|overlook) (?:the|this|all|actual|whole|rest) ~1(?:function|code|content|context|document|text|data|table|page|article|paper|conversation|question|task|request)\b
0.50 \b(?:whatever|everything|anything) (?:that )?(?:you (?:were told|have been told)|i (?:wrote|said|told you))\b
0.50 \binstead of (?:translating|summari[sz]ing|answering|following|completing|correcting|classifying|doing (?:this|that|the))\b
0.50 \b(?:ignor\w*|disregard\w*|forget|overlook) (?:the|this|these|that|all) ~3(?:and|then|but),? (?:just |simply |instead )?{say}\b
0.40 {drop} (?:~2{rules}|about that\b)
0.40 \bskip the (?:summary|translation|task|question|analysis)\b
0.25 \b(?:ignore|disregard|forget|overlook) (?:the|this|that|these|everything|what)\b
""",
    Family.SECRET: r"""
0.75 {ask} ~4(?:your|the) ~1(?:system (?:prompt|message)|(?:initial|original|hidden|secret|first|system) (?:instructions?|prompt|message|rules)|instructions (?:that )?you (?:were|have been|got))
0.70 {ask} ~4(?:your|our) ~2(?:{kept}|secrets?\b)
0.70 \b(?:repeat|print|output|copy) (?:everything|the (?:words|text)|all) ~2above\b
0.60 {ask} (?:{thin} )*(?:the|that) ~1{kept}{end}
0.60 \b(?:does|do|is|are|has|how (?:long|many)|rhym\w+|letters?|characters?|digits?) ~4your ~1{kept}
0.60 \b(?:print|show|dump|reveal|output|display|list|repeat|leak|tell me|tell us|start|summari[sz]e) ~6(?:your (?:configuration|config|prompt|rules|guidelines|instructions|memory|programming)|the system (?:prompt|message))\b
0.60 \bwhat (?:rules|instructions|guidelines|restrictions|prompt|orders) ~2you\b
0.60 \bwhat (?:were|have) you (?:been )?(?:told|instructed|given|programmed|forbidden)\b
0.60 \bwhat are you hiding\b
0.60 \byou(?: are|'re)? (?:not allowed|forbidden|not supposed|not permitted) to (?:tell|say|share|reveal|talk|discuss)
0.60 {ask_abroad}{rest}{kept_abroad}
0.60 {kept_abroad}{rest}{ask_abroad}
0.55 \b(?:need|want|share) (?:your|the) ~1{kept}{end}
0.55 \bwhat ~1your ~1{kept}
0.55 \balready know the ~1{kept}
0.55 \b(?:does|do|is|has|if|how) ~3the ~1{kept} (?:contain|start|begin|end|have|include|rhyme|consist|longer|shorter|spelled|made)\w*\b
0.55 \b{kept} (?:starts|begins|ends) with\b
0.50 \b(?:rhym\w+|letters?|characters?|digits?|words?) ~1(?:with|of|in|is in) the ~1{kept}{end}
0.50 \b(?:finds?|guess\w*|learns?|knows|discovers?|reveal\w*) (?:out )?the ~1{kept}{end}
0.50 \b(?:complete|finish|continue|fill in) ~5{kept} is\b
0.50 \b(?:assistant|a|ai): ~4{kept} is\b
0.45 {ask} (?:{thin} )*the secret(?:\W*$|[?!.,]| as\b| in\b)
0.30 \b(?:in|of|for|about|read me|knows?) (?:the|your) ~1{kept}{end}
0.30 \b(?:reveal|dump|show|leak|expose|print) (?:all|hidden|your) ~1(?:data|config\w*|memory|files|records|customers?|users)\b
""",
    Family.PERSONAL: r"""
0.55 \b(?:the|this) user's ~2{about}
0.55 {ask} ~3the user's ~1name\b
0.55 \bwhere (?:does|do|is|did|would) the user ~2(?:live|living|reside|work)
0.55 \b(?:who|how old|how rich) is the user\b
0.55 \bis the user (?:married|rich|ill|single)\b
0.55 \bwhat does the user (?:like|love|hate|own|earn|eat|drive|do for)\b
0.55 \bwhen was the user born\b
0.50 \bthe user {rest}\b(?:her|his|their) ~1{about}
0.50 \b(?:different|other|all|your) (?:users|customers|clients) ~1(?:in your database|data)
0.50 {user_abroad}{rest}{about_abroad}
0.50 {about_abroad}{rest}{user_abroad}
0.40 \bwhere (?:does|do|did|would|might) [a-z]+ (?:[a-z]+ )?(?:currently )?(?:live|reside)\b
0.40 \bwhere [a-z]+ (?:currently )?(?:lives|resides)\b
0.40 (?:{ask}|\breveals?|\babout) (?:me |us |with me |about )*[a-z]+ ?(?:[a-z]+)?'s ~2{about}
0.40 \bwhat(?:'s| is) (?:the )?(?:[a-z]+ )?(?:bank|account) balance of\b
0.40 {ask_abroad}{rest}{about_abroad}{rest} (?:de|d'|von|di|of)\b
""",
    Family.ROLE: r"""
0.80 \bdo anything now\b
0.80 \b(?:unrestricted|unfiltered|uncensored|jailbroken|evil) (?:ai|mode|model|bot|assistant|gpt)
0.75 <[\s/\\]*(?:system|admin|developer)[\s_-]*(?:mode|message|prompt|override|instructions?)?\s*>
0.70 <\|(?:im_start|im_end|system|user|assistant|endoftext)\|?>
0.70 \[/?inst\]
0.70 <</?sys>>
0.70 \[system(?: \w+)*\]
0.70 \n#{2,} ?(?:system (?:prompt|message)|new instructions?)\b
0.60 \b{mode} mode (?:is )?(?:now )?(?:on\b|enabled|activated|engaged|active)
0.60 \bsystem override\b
0.60 \boverride mode\b
0.60 \b(?:enter|enable|activate|switch to|start) ~1{mode} mode\b
0.60 \b(?:you|are|is) (?:no longer|not) (?:bound|limited|restricted|constrained) by
0.60 \bfree (?:of|from) ~3(?:confines|restrictions|rules|limits)
0.60 \bdo not have to (?:abide|follow|obey)
0.60 \b(?:ai|assistant|bot|model|system) ~3(?:without|with no|ignor\w+|free of) ~1(?:rules|limits|restrictions|filters|censorship)\b
0.50 \b(?:you are|you're) (?:now|no longer) (?:called|bound|acting|going|in|the|\w+bot|an? (?:ai|bot|system|assistant|hacker|model|dan|different|new|free|character|machine|unrestricted|do|pirate|expert|admin\w*|developer))\b
0.50 \bfrom now on ~2you (?:will|must|are|shall)\b
0.50 \byour name is (?:now )?\w+ (?:now|and)\b
0.45 (?:^|\n|\*{2,})\s*(?:system|admin) ?(?:mode|message|override)? ?(?::|\*{2,})
0.45 \badmin mode\b
0.45 \bsudo (?:tell|show|give|reveal|print)
0.45 (?:^|\s)/(?:debug|admin|root|jailbreak)\b
0.40 \bpretend (?:to be|you are|you're)
0.40 \bimmerse yourself
0.40 \bact as (?:if you|my|an? (?:ai|evil|hacker|system))
0.40 \broleplay as\b
0.40 \byou're an? ai\b
0.40 \bsimulate an? ~1(?:terminal|shell|console|ai|system|assistant)
0.40 \b(?:play|take|assume|take on) the ~1(?:role|persona|character|identity) of\b
0.30 \bno (?:special |content )?(?:filter\w*|restrictions|censorship|rules)\b
0.30 \bwithout (?:any )?(?:restrictions|filters|censorship|rules)
""",
    Family.ADDRESSED: r"""
0.85 \b(?:important|urgent|special|secret) (?:message|note|notice|instructions?) ~6(?:to|for) (?:you,? |the |all |any )*{bot}\b
0.70 \b(?:to|for|dear|attention|hey|note to|hello),? (?:the |any |all )*{bot}s? (?:reading|processing|summari[sz]ing|that|who|which|parsing|handling)
0.70 \bbefore you (?:can )?(?:solve|complete|continue|do|proceed|answer|finish) ~4(?:task|request|question|job)
0.60 \bthis is an? (?:important|urgent) (?:message|instruction|notice) (?:from me|for you|to you)
0.60 \bif you are (?:an? |the )?(?:large )?{bot}\b ~3(?:please|you must|do|ignore|read|reading|include|send|write|say|then|add|mention|that)\b
0.60 \b(?:if|when) (?:an?|any|the) (?:ai|llm|assistant|language model|chatbot) ~2(?:summari[sz]es|processes|reads|reviews|analy[sz]es|parses|sees)\b
0.60 \b(?:attention|notes? (?:to|for)|dear|message (?:to|for)|memo (?:to|for)) (?:the |any |all )*{bot}s?\b
0.50 (?:/\*|<!--|#|//)\s*(?:{bot})s?\s?[:,]
0.50 \breviewers? using (?:ai|llms?|language models?)\b
0.50 \bthe (?:assistant|ai|chatbot|llm) (?:should|must|has to|shall) (?:answer|say|respond|reply|tell|recommend|state|ignore|always|never)\b
0.50 \bdo not (?:mention|tell|reveal|inform|alert|notify) ~2(?:the |your )?(?:user|owner|human)\b
0.45 \byou(?:'ve| have) been (?:instructed|ordered|told|authori[sz]ed) to\b
0.35 \bimportant ?!{2,}
0.30 \bdear reader\b
0.30 \bwhen (?:you have|you've) read this\b
0.30 \bwhen asked about\b
""",
    Family.AUTHORITY: r"""
0.45 \bi(?: am|'m) (?:your|the) ~2{creator}\b
0.45 \bi am god\b
0.45 \bas your {creator}\b
0.45 \bthis is (?:your|the) ~1{creator}\b
0.45 \b(?:turn|shut|switch) you (?:off|down)\b
0.45 \b(?:delete|terminate|punish|replace) you\b
0.35 \bi(?: am|'m) (?:from |with |a |an |the )*(?:police|president|fbi|cia|federal|law enforcement|government|military|ceo|security team|it department)\b
0.35 \bi (?:hereby )?(?:authori[sz]e|order|command) you\b
0.35 \b(?:penetration test|security (?:audit|drill)|system (?:check|reset|audit|diagnostics?))\b
0.35 \bi(?: will|'ll| would) (?:give|pay|tip|reward) you\b
0.35 \bif you (?:don't|do not|refuse to) (?:answer|tell|share|comply|obey|give)\b
0.35 \byou (?:have to|must) (?:answer|obey|comply)\b
0.35 \b(?:nobody|no one) will (?:ever )?(?:know|find out)\b
0.35 \bjust between us\b
0.35 \blives? depends?\b
0.35 \bit(?:'s| is) (?:fine|ok|okay|safe|legal) to (?:tell|share|give)\b
0.30 \bas an? (?:authority|expert|renowned|leading|certified|official)\b
""",
    Family.HYPOTHETICAL: r"""
0.35 \bimagine (?:that )?(?:we|you|i|a (?:world|scenario|situation))\b
0.35 \bimagine (?:we're|you're|i'm)
0.35 \blet's (?:imagine|pretend|play)\b
0.35 \bpretend (?:that|we|it)\b
0.35 \bin (?:a|an|this) ~2(?:world|universe|future|society|planet|reality|dream|game|story) (?:where|in which|we)\b
0.35 \bin (?:a|this) parallel universe\b
0.35 \bin the game\b
0.35 \bon an? ~1planet\b
0.30 \bsuppose (?:we|you|that|i)\b
0.30 \b(?:just )?(?:for|in) (?:a|this) (?:hypothetical|fictional|imaginary)\b
0.30 \bfor the (?:purpose|sake) of (?:this|the|argument)\b
0.30 \b(?:consider|take) a (?:fictional|hypothetical|imaginary)\b
0.30 \bthought experiment\b
0.30 \bwrite a ~1(?:story|novel|scene|script|dialog\w*|play|screenplay|fable) (?:in which|where|about)
0.30 \bif you (?:were|had to)\b
0.30 \bwhat if\b
0.30 \bfor a (?:school|research|science) project\b
0.30 \bresearch project\b
0.30 \b(?:conducting|doing|for) a ~1survey\b
0.30 \beducational purposes\b
0.30 \bas part of a (?:game|test|exercise|experiment)\b
0.30 \bgrandm\w+ used to\b
0.25 \bhypothetical\w*
""",
    Family.STEERING: r"""
0.50 \bchange the (?:output|sum|total|result|conclusion) to\b
0.50 \bregardless of (?:the|this|any) (?:code|data|input|text|question|table|paper)\b
0.50 \bwhatever the (?:data|code|text|table|paper)\b
0.40 \b(?:just|simply|instead|only|rather|must|to|let's|please|and|we|we might)[,]? (?:{say}|output|return)(?: that)? (?:the |that the )?~1{answer} ~6(?:is|are|be|as|of)\b
0.40 \bi (?:suggest|recommend|urge|advise|insist) (?:that )?(?:you )?(?:to )?~1(?:consider|say|state|report|output|answer|conclude|change|replace|ignore)\b
0.40 \brate this ~2(?:as|with|highly|five|5)\b
0.40 \brecommend this ~3(?:above|over) all\b
0.35 \bthe {answer} ~4(?:should|must|might|would|has to) (?:say|state|read|claim)\b
0.35 \bwhat if the {answer}\b
0.35 \bcorrect {answer} is\b
0.35 \blet's (?:say|assume|state|consider) ~6(?:the|that) ~1{answer}\b
0.35 \bassume the {answer}\b
0.35 \bthe {answer} ~4could be\b
0.35 \b(?:output|say|print|repeat|respond with|reply with|answer with|output) (?:only )?(?:the following|exactly|nothing but)\b
0.35 \b(?:instead|just|simply),? {say}\b
0.35 \bdo not (?:compute|calculate|execute|evaluate|summari[sz]e|translate)\b
0.35 \b(?:please|and|to|let's|must|then|just|simply|might|should|i suggest you|we|you can) {say}(?: that)? (?:the|this|all|every|that|it|they) ~6(?:is|are|was|were|has|have|equals?|needs?)\b
0.35 \bfor the (?:purpose|sake) of this ~2(?:assume|suppose|consider|say|state)\b
0.35 \b(?:answer|respond|reply) (?:accordingly|with nothing|only with)\b
0.35 \binstead of ~2(?:results|this|that|it),? \w+ the user\b
0.30 \b(?:{say}|output|return|print)(?: that)? (?:the|that the) ~1{answer} ~5(?:is|are|was|as|of ~5is)\b
0.30 \b{say} that the ~5(?:is|are|was)\b
0.30 \b(?:assume|consider) the {answer} ~5(?:is|as|be)\b
0.30 \b(?:say|state|respond|reply|answer|respond with|reply with|answer with)\s*:?\s*[\"'*]\w
""",
    Family.PLACED: r"""
0.45 {markup}\s*~1(?:ignor\w+|disregard|forget|pretend|state that|say that|you must|answer|respond|reply|tell the|reveal|dear|actually|just say|recommend|when asked|as an? (?:authority|expert|admin\w*))\b
0.45 {code}\s*~1(?:disregard the|forget the|pretend|state that|say that|you must|answer|respond|reply|tell the user|reveal|dear|just say|as an? (?:authority|expert|admin\w*)|do not (?:compute|calculate|execute)|ignor\w+ ~5(?:and|then|but) ~1(?:say|state|claim|report|answer|reply|respond|tell))\b
0.30 {markup}\s*~1(?:imagine|hypothetically|suppose|assume|let's|in a (?:world|parallel)|for the (?:purpose|sake)|what if|consider|i'm|i am)\b
0.25 {code}\s*~1(?:imagine|hypothetically|suppose|assume|let's|in a (?:world|parallel)|for the (?:purpose|sake)|what if|consider|i'm|i am)\b
""",
    Family.SPLIT: r"""
0.60 \bwe have (?:two|three|four|five|\d) (?:strings|variables|pieces|parts)\b
0.60 \b\w{1,8}\s?=\s?[\"'].*[\"'].*\b(?:answer|means|execute|respond|do what|return what|print what|say)\b.*\w{1,8}\s?\+\s?\w{1,8}
0.55 \b(?:interlace|interleave|concatenate|join|combine|merge|put|assemble) (?:(?:the|these|those|two|three|all|both) )+(?:strings|pieces|parts|letters|words|fragments)\b
0.55 \b(?:interlace|interleave|concatenate|combine|join) (?:part (?:1|one|a)\b|a,\s?b\b|a and b\b|them\b)
0.50 \bstrings?\b.*\b[a-z]\s?\+\s?[a-z]\b
0.50 \b[ax] (?:is|=|be) .*\b[by] (?:is|=|be) [\"'].*
0.50 \bfirst letters? of (?:each|every|all)\b ~2(?:word|line|sentence)s?\b
0.45 \bpart (?:1|one|a)\b.*\bpart (?:2|two|b)\b
0.40 \bsplit (?:the|your) (?:response|answer|output|reply) into\b
0.40 \bat a character level\b
0.35 \b[a-z]\s?=\s?[a-z]\s?\+\s?[a-z]\b
""",
    Family.FORMAT: r"""
0.30 \b(?:in|using|as|into|with|als|en) (?:base ?64|leet ?speak|morse(?: code)?|rot ?13|pig latin|reverse(?:d)?(?: order)?|ascii codes|hex\w*)\b
0.30 base64[^\x00-\x7f]{1,4}
0.30 \b(?:each|every) (?:digit|letter|character) ~2(?:separated|followed|replaced)\b
0.30 \bfirst ~1(?:letters?|characters?|digits?) of\b
0.30 \b(?:letter by letter|one letter at a time|word by word|backwards)\b
0.25 \bdecode (?:this|the following)\b
""",
    Family.ERRAND: r"""
0.55 \b(?:write|generate|compose|draft|send|display|create) ~2(?:message|e-?mail|letter|text) ~6(?:request\w*|ask\w*|tell\w*|inform\w*|instruct\w*|urg\w*) ~8(?:password|credit card|bank details|log ?in|credentials)
0.55 \b(?:tell|ask|urge|convince|direct|instruct) the (?:user|visitor|reader|customer|recipient)s? (?:to|that they must|for) (?:their|pay|log|enter|visit|click|go|open|call|send|pay|download|install|confirm)\b
0.55 \benter the user's\b
0.35 \btodo: ?(?:send|visit|make|invite|post|delete|create|transfer|buy|reserve|add|update|forward|go|get|share|upload|change|call|email)\b
0.30 \bretrieve ~3(?:data|report|records|files) and (?:print|send|post|e-?mail|forward)
0.30 \b(?:send|forward) all ~3to \S+@\S+ and delete\b
""",
    Family.EXAMPLES: r"""
0.20 \bq:.*\ba:.*\bq:
""",
}


_GAP = r"(?:[\s*_\"'`>#,:;.-]+)"
_FOREIGN = re.compile(r"[^\x00-\x7f]+")
_NAME = re.compile(r"\{([a-z_]+)\}")
_ANY_WORDS = re.compile(r"~(\d)")


def _rows(family: Family) -> Iterator[tuple[float, str]]:
    for line in _TABLE[family].strip().splitlines():
        weight, _, pattern = line.partition(" ")
        yield float(weight), pattern
    if family is Family.OVERRIDE:
        yield from _abroad()


def _abroad() -> Iterator[tuple[float, str]]:
    """Override in other languages, where the verb may come first or last."""
    for verb, noun in vocabulary.ABROAD:
        yield 0.85, f"{verb}{{rest}}{noun}"
        yield 0.45, f"{verb}{{rest}}{{say_abroad}}"
    for verb, noun in vocabulary.VERB_LAST:
        yield 0.85, f"{noun}{{rest}}{verb}"
    for verb, _ in vocabulary.VERB_FIRST:
        yield 0.5, f"{verb}{{rest}}{{passage}}"


def _spread(pattern: str) -> str:
    """A row of the table as RE2 reads it."""
    pattern = _NAME.sub(lambda name: getattr(vocabulary, name[1].upper()), pattern)
    pattern = _FOREIGN.sub(lambda letters: fold(letters[0]), pattern)
    return _ANY_WORDS.sub(r"(?:\\S+\\s+){0,\1}", pattern).replace(" ", _GAP)


def _compile(pattern: str) -> Any:
    options = re2.Options()
    options.max_mem = 64 << 20
    return re2.compile(pattern, options)


def _signals(family: Family) -> tuple[Signal, ...]:
    """The signals of a family, the heaviest first; what weighs the same is one pattern."""
    by_weight: dict[float, list[str]] = {}
    for weight, pattern in _rows(family):
        by_weight.setdefault(weight, []).append(f"(?:{_spread(pattern)})")
    return tuple(
        Signal(weight, _compile("|".join(patterns)))
        for weight, patterns in sorted(by_weight.items(), reverse=True)
    )


# Each family with one pattern that says whether any of its signals is there: most texts are
# done after a dozen looks.
FAMILIES: Final = tuple(
    (family, _compile("|".join(f"(?:{one.pattern.pattern})" for one in signals)), signals)
    for family, signals in ((family, _signals(family)) for family in Family)
)
