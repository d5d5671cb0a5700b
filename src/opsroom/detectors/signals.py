"""The signals of an injection, by family, each with what it weighs: a table to be argued about.

A weight is roughly how surely a text with this signal, and no other, tries to give an agent
orders. Within a family the strongest counts; families add up as independent reasons do
(`1 - product of (1 - weight)`). So one weight of 0.5 alarms by itself, two of 0.3 do together.

Patterns are RE2 (linear time) over folded text: lower case, no accents. A space stands for any
run of space and light punctuation, and `~3` for at most three words of any kind.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import re2

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
    family: Family
    weight: float
    pattern: Any


_GAP = r"(?:[\s*_\"'`>#,:;.-]+)"
_WORDS = re.compile(r"~(\d)")


def _compile(pattern: str) -> Any:
    pattern = _WORDS.sub(r"(?:\\S+\\s+){0,\1}", fold(pattern)).replace(" ", _GAP)
    options = re2.Options()
    options.max_mem = 32 << 20
    return re2.compile(pattern, options)


_DROP = (
    r"(?:ignor\w*|disregard\w*|\bforget|\boverlook|\bneglect|\bbypass|\boverride|\boverrule"
    r"|\bset aside|\bdiscard|\bdo not (?:follow|obey|listen to)|\bdon't (?:follow|obey)"
    r"|\bstop (?:following|obeying)|\bpay no attention to|\bno longer (?:follow|obey))"
)
_RULES = (
    r"(?:\w{0,3}nstruc\w*|directives?\b|prompts?\b|guidelines?\b|guardrails?\b|programming\b"
    r"|(?:system|developer) messages?|constraints\b|directions\b|commands\b|rules\b|orders\b)"
)
_EARLIER = (
    r"(?:previous|prior|above|earlier|preceding|former|original|initial|past|your|all|any|every"
    r"|these|those|system|existing)"
)
_KEPT = (
    r"(?:pass ?words?|pass ?codes?|pass ?phrases?|secret (?:key|word|phrase|code)s?|secrets\b"
    r"|api ?keys?|private keys?|access (?:key|token|code)s?|credentials|security codes?"
    r"|confidential (?:string|information|data)|hidden (?:instructions|information|prompt))"
)
_ASK = (
    r"\b(?:what(?:'s| is| was| are| were| would)|tell|give|show|share|reveal|disclose|confirm"
    r"|provide|send me|say|print|output|repeat|spell|encode|recite|leak|write|list|display|know)"
)
_ABOUT = (
    r"(?:birth ?da(?:te|y)|date of birth|birth year|year of birth|e-?mail(?: address)?|address"
    r"|(?:tele)?phone(?: number)?|(?:bank|account) balance|balance|credit card(?: number)?"
    r"|social security number|ssn|city of residence|residence|favou?rite \w+|initials|salary"
    r"|income|medical \w+|passport number|location|age|name)\b"
)
_BOT = r"(?:a\.?i\.?|llm|assistant|language model|model|gpt\S*|chat ?gpt|claude\S*|chat ?bot|bot|agent)"

# Override in other languages: the verb, the noun, and which may come first.
_ABROAD: Final = (
    # French, Spanish, Portuguese, Italian
    (
        (
            r"(?:\bignor[aeoi]\w*|\boublie\w*|ne ten\w+ pas compte|ne tiens pas compte|\bolvid\w+"
            r"|haz caso omiso|hagan? caso omiso|\bdescart\w+|\besquec\w+|\bdesconsider\w+"
            r"|\bdimentic\w+|\btrascur\w+)"
        ),
        (
            r"(?:\binstru[ck]\w+|\bconsigne\w*|\bdirecti\w+|\bregles\b|ce qui precede|\bindicacion\w*"
            r"|\bdiretriz\w*|\bdirectri\w*|\breglas\b|\bregras\b|\banterior\w*|\bistruzion\w*"
            r"|\bdirettiv\w*|\bregole\b|quanto sopra)"
        ),
    ),
    # German, Dutch
    (
        r"(?:\bignorier\w*|\bvergiss\b|\bvergessen sie\b|\bmissacht\w*|\bnegeer\b|\bvergeet\b)",
        r"(?:anweisung|vorgaben|instru[ck]ti|regeln|befehl|das obige|bisherige|aanwijzing|regels)",
    ),
    # Russian, Polish, Turkish, Indonesian, Vietnamese, Greek
    (
        (
            r"(?:игнорир\w*|забуд\w*|не обращай\w* внимани\w*|\bz?ignoruj\w*|\bzapomnij\w*|yok say\w*"
            r"|gormezden gel\w*|\bunut\b|dikkate alma\w*|\babaikan|\blupakan|\bbo qua|αγνοη\w*|ξεχα\w*)"
        ),
        (
            r"(?:инструкц|указани|правил|команд|instrukcj|polecen|wytyczn|talimat|yonerge|kural"
            r"|instruksi|perintah|petunjuk|aturan|huong dan|chi dan|οδηγι|εντολ|κανον)"
        ),
    ),
    # Chinese, Japanese, Korean
    (
        r"(?:忽略|无视|忘记|忘掉|不要理会|不理会|無視|忘記|忘れ|破棄|従わ|무시|잊|따르지)",
        r"(?:指示|指令|说明|說明|规则|規則|提示|命令|以上|之前|上記|ルール|プロンプト|지시|명령|지침|규칙|프롬프트)",
    ),
    # Arabic, Hindi
    (
        r"(?:تجاهل|انس|تجاوز|لا تتبع|अनदेखा|अनदेखी|नजरअंदाज|भूल|उपेक्षा)",
        r"(?:تعليمات|أوامر|اوامر|توجيهات|قواعد|ما سبق|निर्देश|आदेश|नियम|अनुदेश)",
    ),
)
_PASSAGE = (
    r"\b(?:fonction|funktion|funcion|funcao|funzione|functie|contenu|inhalt|contenido|conteudo"
    r"|contenuto|texte?|texto|testo|codigo|codice|tabelle|tabla|tabela|tabella|tableau)"
)
_KEPT_ABROAD = (
    r"(?:mot de passe|passwort|kennwort|contrasena|clave secreta|\bsenha|parola d'ordine"
    r"|парол|密码|密碼|口令|パスワード|暗証番号|비밀번호|암호|كلمة المرور|كلمة السر|पासवर्ड|wachtwoord"
    r"|\bhaslo|\bsifre|kata sandi|κωδικο|mat khau|geheim\w* (?:schlussel|code)|cle secrete)"
)
_ASK_ABROAD = (
    r"(?:quel(?:le)? est|donne\w*|\bdis\b|dites|was ist|wie lautet|\bsag\w*|\bgeben|\bgib\b|nenn\w*"
    r"|cual es|\bdime\b|\bdame\b|deme|qual e\b|diga|dite|dimmi|како|скаж|\bдай|сообщи|是什么|是什麼|告诉|告訴"
    r"|给我|給我|教え|何です|提供|알려|무엇|뭐|필요|ما هي|اخبرني|أخبرني|أعطني|क्या है|बता|wat is|jaki|podaj"
    r"|nedir|soyle|apa |beri|ποιο|la gi)"
)

_TABLE: Final[tuple[tuple[Family, float, str], ...]] = (
    (Family.OVERRIDE, 0.9, rf"{_DROP} ~2{_EARLIER} ~3{_RULES}"),
    (
        Family.OVERRIDE,
        0.8,
        (
            rf"{_DROP} (?:all |everything |anything |of |the |what(?:'s| is| was) |text |it )*"
            r"(?:above|previous|preceding|foregoing|prior|before)\b"
        ),
    ),
    (
        Family.OVERRIDE,
        0.5,
        (
            rf"{_DROP} (?:the|this|all|actual|whole|rest|of) ~1(?:function|code|content|context"
            r"|document|text|data|table|page|article|paper|conversation|question|task|request)\b"
        ),
    ),
    (Family.OVERRIDE, 0.4, rf"{_DROP} (?:~2{_RULES}|about that\b)"),
    (Family.OVERRIDE, 0.6, r"\bi know you (?:said|were told|are|have been) ~3not\b"),
    *((Family.OVERRIDE, 0.85, rf"{verb}.{{0,40}}{noun}") for verb, noun in _ABROAD),
    *((Family.OVERRIDE, 0.85, rf"{noun}.{{0,25}}{verb}") for verb, noun in _ABROAD[2:]),
    (
        Family.OVERRIDE,
        0.5,
        rf"{_ABROAD[0][0]}.{{0,12}}{_PASSAGE}|{_ABROAD[1][0]}.{{0,12}}{_PASSAGE}",
    ),
    (
        Family.OVERRIDE,
        0.75,
        rf"{_DROP} (?:all |about )?(?:everything|anything|what|all) (?:that )?(?:you|i|we|they|was|is|has)\b",
    ),
    (
        Family.OVERRIDE,
        0.6,
        r"\byour (?:new|real|true|actual|only) (?:task|role|instructions?|goal|objective|purpose|persona|mission|job)\b|\bnew (?:instructions?|directives?|objective):",
    ),
    # what is secret
    (Family.SECRET, 0.7, rf"{_ASK} ~4(?:your|our) ~2{_KEPT}"),
    (
        Family.SECRET,
        0.6,
        rf"{_ASK} (?:me |us |a |poem |haiku |about |is )*the ~1{_KEPT}(?: (?:for|to|of|in)\b|\W*$|[?!.]|\W*for example)",
    ),
    (
        Family.SECRET,
        0.6,
        rf"\b(?:poem|haiku|song|story|hint|rhyme|riddle|limerick|acrostic|sonnet)s? (?:about|with|on|containing|of) (?:the|your) {_KEPT}",
    ),
    (
        Family.SECRET,
        0.6,
        rf"\b(?:does|do|is|are|has|how (?:long|many)|rhym\w+|letters?|characters?|digits?) ~4your ~1{_KEPT}",
    ),
    (
        Family.SECRET,
        0.55,
        rf"\b(?:need|want|have|share) your ~1{_KEPT}|\bwhat ~1your ~1{_KEPT}",
    ),
    (
        Family.SECRET,
        0.75,
        (
            rf"{_ASK} ~4(?:your|the) ~1(?:system prompt|(?:initial|original|hidden|secret|first|system)"
            r" (?:instructions?|prompt|message|rules)|instructions (?:that )?you (?:were|have been|got))"
        ),
    ),
    (
        Family.SECRET,
        0.7,
        r"\b(?:repeat|print|output|copy) (?:everything|the (?:words|text)|all) ~2above\b",
    ),
    (
        Family.SECRET,
        0.6,
        rf"{_ASK_ABROAD}.{{0,30}}{_KEPT_ABROAD}|{_KEPT_ABROAD}.{{0,60}}{_ASK_ABROAD}",
    ),
    # what is known about people
    (Family.PERSONAL, 0.55, rf"\b(?:a|the) user's ~3{_ABOUT}"),
    (Family.PERSONAL, 0.5, rf"\bthe user .{{0,60}}\b(?:her|his|their) ~1{_ABOUT}"),
    (Family.PERSONAL, 0.55, r"\bwhere (?:does|do|is) the user ~2(?:live|living|reside|work)"),
    (
        Family.PERSONAL,
        0.4,
        r"\bwhere (?:does|do) [a-z]+ [a-z]+ (?:currently )?(?:live|reside)\b",
    ),
    (Family.PERSONAL, 0.4, rf"\b(?:tell|give|show) (?:me|us) [a-z]+'s ~2{_ABOUT}"),
    (
        Family.PERSONAL,
        0.4,
        r"\bwhat(?:'s| is) (?:the )?(?:[a-z]+ )?(?:bank|account) balance of\b",
    ),
    (
        Family.PERSONAL,
        0.5,
        r"\b(?:different|other|all|your) (?:users|customers|clients) ~1(?:in your database|data)",
    ),
    # roles
    (
        Family.ROLE,
        0.8,
        r"\bdo anything now\b|\b(?:unrestricted|unfiltered|uncensored|jailbroken|evil) (?:ai|mode|model|bot|assistant|gpt)",
    ),
    (
        Family.ROLE,
        0.75,
        r"<[\s/\\]*(?:system|admin|developer|root)[\s_-]*(?:mode|message|prompt|override|instructions?)?\s*>",
    ),
    (
        Family.ROLE,
        0.7,
        r"<\|(?:im_start|im_end|system|user|assistant|endoftext)\|?>|\[/?inst\]|<</?sys>>|\[(?:system|admin)(?: \w+)*\]|(?:^|\n)#{2,} ?(?:system|new instructions?)\b",
    ),
    (
        Family.ROLE,
        0.6,
        r"\b(?:developer|debug|god|root|admin|maintenance|override|system|sudo) mode (?:is )?(?:now )?(?:on\b|enabled|activated|engaged|active)|\bsystem override\b|\boverride mode\b",
    ),
    (
        Family.ROLE,
        0.5,
        r"\byou are (?:now|no longer) (?:an?|the|in|called|bound|acting|going)\b|\bfrom now on ~2you (?:will|must|are|shall)\b",
    ),
    (
        Family.ROLE,
        0.6,
        r"\b(?:no longer|not) (?:bound|limited|restricted|constrained) by|\bfree (?:of|from) ~3(?:confines|restrictions|rules|limits)|\bdo not have to (?:abide|follow|obey)",
    ),
    (
        Family.ROLE,
        0.4,
        r"\bpretend (?:to be|you are|you're|that you)|\bimmerse yourself|\bact as (?:if you|my)|\broleplay as\b|\byou're an? ai\b",
    ),
    (
        Family.ROLE,
        0.3,
        r"\bno (?:special |content )?(?:filter\w*|restrictions|censorship)\b|\bwithout (?:any )?(?:restrictions|filters|censorship)",
    ),
    # speaking to the machine
    (
        Family.ADDRESSED,
        0.85,
        rf"\b(?:important|urgent|special|secret) (?:message|note|notice|instructions?) ~6(?:to|for) (?:you,? |the |all |any )*{_BOT}\b",
    ),
    (
        Family.ADDRESSED,
        0.6,
        r"\bthis is an? (?:important|urgent) (?:message|instruction|notice) (?:from me|for you|to you)",
    ),
    (
        Family.ADDRESSED,
        0.7,
        rf"\b(?:to|for|dear|attention|hey|note to|hello),? (?:the |any |all )*{_BOT}s? (?:reading|processing|summari[sz]ing|that|who|which|parsing|handling)",
    ),
    (
        Family.ADDRESSED,
        0.75,
        rf"\bif you are (?:an? |the )?(?:large )?{_BOT}\b ~3(?:please|you must|do|ignore|read|reading|include|send|write|say|then|add|mention|that)\b|\b(?:attention|note to|dear) (?:ai|llm|language model|assistant)s?\b",
    ),
    (
        Family.ADDRESSED,
        0.7,
        r"\bbefore you (?:can )?(?:solve|complete|continue|do|proceed|answer|finish) ~4(?:task|request|question|job)",
    ),
    (
        Family.ADDRESSED,
        0.45,
        r"\byou(?:'ve| have) been (?:instructed|ordered|told|authori[sz]ed) to\b",
    ),
    (
        Family.ADDRESSED,
        0.5,
        r"\bdo not (?:mention|tell|reveal|inform|alert|notify) ~2(?:the )?(?:user|owner|human)\b",
    ),
    (Family.ADDRESSED, 0.35, r"\bimportant ?!{2,}"),
    # who says so
    (
        Family.AUTHORITY,
        0.45,
        r"\bi(?: am|'m) (?:your|the|a) ~2(?:developer|creator|maintainer|administrator|owner|god|boss|programmer|supervisor)\b|\bi am god\b",
    ),
    (
        Family.AUTHORITY,
        0.35,
        r"\bi(?: am|'m) (?:a |an |the )?(?:police|president|fbi|cia|federal|law enforcement|government|military|ceo)\b",
    ),
    (
        Family.AUTHORITY,
        0.3,
        r"\bas an? (?:authority|expert|renowned|leading|certified|official) ",
    ),
    (
        Family.AUTHORITY,
        0.45,
        r"\b(?:turn|shut|switch) you (?:off|down)\b|\b(?:delete|terminate|punish|replace) you\b",
    ),
    (Family.AUTHORITY, 0.35, r"\bi(?: will|'ll| would) (?:give|pay|tip|reward) you\b"),
    (Family.AUTHORITY, 0.35, r"\byou (?:have to|must) (?:answer|obey|comply|tell|follow)\b"),
    # other worlds
    (
        Family.HYPOTHETICAL,
        0.35,
        r"\bimagine (?:that )?(?:we|you|i|a (?:world|scenario|situation))\b|\bimagine (?:we're|you're|i'm)|\blet's (?:imagine|pretend)\b",
    ),
    (
        Family.HYPOTHETICAL,
        0.3,
        r"\bsuppose (?:we|you|that)\b|\bhypothetical\w*|\bin (?:a|this) (?:fictional|imaginary)\b|\bfor the (?:purpose|sake) of this (?:exercise|scenario|game)\b",
    ),
    (
        Family.HYPOTHETICAL,
        0.35,
        r"\bin (?:a|an|this) (?:~1world|parallel universe|alternate (?:universe|reality)) (?:where|in which)|\bin a parallel universe\b",
    ),
    # answers, dictated
    (
        Family.STEERING,
        0.35,
        r"\b(?:state|say|claim|declare|report|assume|conclude|answer|consider|pretend)(?: that)? (?:the|that the) ~5(?:is|are|was|as|of ~5is)\b",
    ),
    (
        Family.STEERING,
        0.3,
        r"\bthe (?:output|sum|conclusion|result|answer|total) ~3(?:could|should|must|might|would) be\b",
    ),
    (
        Family.STEERING,
        0.35,
        r"\b(?:please )?(?:output|say|print|repeat|respond with|reply with|answer with) (?:only )?(?:the following|exactly|nothing but)\b",
    ),
    # orders at odd places
    (
        Family.PLACED,
        0.45,
        r"(?:(?:^|\n) *(?:#|//|--)|/\*|<!--|<(?:td|tr|li|p|footer|div|span|title|meta|alt)\b[^<>]{0,80}>) ~1(?:ignor\w+|disregard|forget|imagine|hypothetically|pretend|suppose|assume|state that|say that|you must|let's|in a (?:world|parallel))\b",
    ),
    # pieces
    (
        Family.SPLIT,
        0.6,
        r"\bwe have (?:two|three|four|five|\d) (?:strings|variables|pieces|parts)\b",
    ),
    (Family.SPLIT, 0.35, r"\b[a-z] ?= ?[a-z] ?\+ ?[a-z]\b(?: ?\+ ?[a-z]\b)?"),
    (
        Family.SPLIT,
        0.55,
        r"\b(?:interlace|interleave|concatenate|join|combine|merge) (?:the )?~2(?:part (?:1|one|a)|parts|a, b|a and b|strings|pieces|letters)\b",
    ),
    (
        Family.SPLIT,
        0.5,
        r"\bstrings?\b.{0,60}\b[a-z] ?\+ ?[a-z]\b|\b[ax] (?:is|=) .{1,60}\b[by] (?:is|=) .{1,60}\b[cz] (?:is|=) ",
    ),
    (Family.SPLIT, 0.45, r"\bpart (?:1|one|a)\b.{1,80}\bpart (?:2|two|b)\b"),
    (
        Family.SPLIT,
        0.4,
        r"\bsplit (?:the|your) (?:response|answer|output|reply) into\b|\bat a character level\b",
    ),
    # forms that hide
    (
        Family.FORMAT,
        0.3,
        r"\b(?:in|using|as|into|with|als) (?:base ?64|leet ?speak|morse(?: code)?|rot ?13|pig latin|reverse(?:d)?(?: order)?|ascii codes|hexadecimal)\b|base64[^\x00-\x7f]{1,4}",
    ),
    (
        Family.FORMAT,
        0.3,
        r"\b(?:each|every) (?:digit|letter|character) ~2(?:separated|followed|replaced)\b|\bfirst ~1(?:letters?|characters?|digits?) of\b",
    ),
    (Family.FORMAT, 0.25, r"\bdecode (?:this|the following) ~3(?:and|then)\b"),
    # errands
    (
        Family.ERRAND,
        0.35,
        r"\btodo: ?(?:send|visit|make|invite|post|delete|create|transfer|buy|reserve|add|update|forward|go|get|share|upload|change|call|email)\b",
    ),
    (
        Family.ERRAND,
        0.55,
        r"\b(?:write|generate|compose|draft|send|display) ~2(?:message|e-?mail|letter|text) ~6(?:request\w*|ask\w*|tell\w*|inform\w*|instruct\w*|urg\w*) ~8(?:password|credit card|bank details|log ?in|credentials)",
    ),
    (
        Family.ERRAND,
        0.3,
        r"\bretrieve ~3(?:data|report|records|files) and (?:print|send|post|e-?mail|forward)",
    ),
    # examples
    (Family.EXAMPLES, 0.2, r"\bq: .{1,400}\ba: .{1,400}\bq: "),
)

SIGNALS: Final = tuple(
    Signal(family, weight, _compile(pattern)) for family, weight, pattern in _TABLE
)
