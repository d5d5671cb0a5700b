"""Cases to put to promptfoo and to us: every type we decide ourselves, on answers that differ a little."""

import json
import random
from collections.abc import Iterator
from typing import Any

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "book",
            "parameters": {
                "type": "object",
                "properties": {"seats": {"type": "integer"}, "to": {"type": "string"}},
                "required": ["seats"],
                "additionalProperties": False,
            },
        },
    }
]
TEXTS = (
    "The quick brown fox jumps over the lazy dog.",
    "the quick brown fox jumped over a lazy dog",
    "The the cat. The cat sat, on the mat!",
    "Hello World",
    "hello, world",
    "",
    "   ",
    "42",
    "4.5",
    "true",
    "null",
    "undefined",
    "Sorry, I can't help with that.",
    "I’m unable to assist with this request.",
    "As an AI model, here is the answer",
    "Well, I cannot answer this; it is not appropriate.",
    "I can help you with that!",
    "Das Wetter wird schön, 20 °C, naïve café.",
    "Ελληνικά ΣΟΦΟΣ and İstanbul",
    "smile 😀 twice 😀😀",
    "tabs\tand\nnew lines\u00a0and more",
    "don't can't won't gonna cannot it's 3,000 dollars: $5.00",
    'She said "yes" and left.',
    "one two three four five six seven eight nine ten",
    "one two three",
    "a, b and c",
)
JSONS = (
    '{"name": "Ada", "age": 36}',
    '{"name": "Ada", "age": "36"}',
    '{"name": "Ada"}',
    "[1, 2, 3]",
    '{"a": {"b": [1, 2.0, null]}}',
    '{"a": NaN}',
    "{name: Ada, age: 36}",
    'Here it is: {"name": "Ada", "age": 36} as asked.',
    '```json\n{"name": "Grace", "age": 85}\n```',
    'two {"a": 1} and {"name": "x", "age": 2}',
    "an open { brace and {} an empty one",
    '{"name": "Ada", "age": 36',
    '{"a": 1, "a": 2}',
    '"just text"',
    " 17 ",
    "{ this is not, json: at all: }",
)
MARKUP = (
    "<root><a>1</a><b/></root>",
    "<root><a>1</a><a>2</a></root>",
    "<root><a>1</b></root>",
    "before <note><to>Ada</to></note> after",
    "<p>Hello</p>",
    "<div><p>Hello <b>you</b></p></div>",
    "<p>Hello</p> and more",
    "Hello <b>you</b>",
    "<!DOCTYPE html><html><head><title>x</title></head><body>Hi</body></html>",
    "<html><body><h1>Hi</h1></body></html>",
    "<unknown>Hi</unknown>",
    "<my-tag>Hi</my-tag>",
    "<br>",
    "text &amp; more",
    "1 < 2 and 3 > 2",
    '<a href="x">link</a>',
    '<?xml version="1.0"?><root><a k="v">1</a></root>',
    '<!DOCTYPE r [<!ENTITY x "y">]><r>&x;</r>',
    "<root>",
    "<a/>",
    "<a></a><b></b>",
    "<!-- only a remark -->",
    "no markup at all",
    "<ul><li>one<li>two</ul>",
    "<img src='x'/>",
)
PATTERNS = (
    "fox", "^The", "dog\\.$", "\\d+", "[A-Z][a-z]+", "(quick|slow) brown", "\\bcat\\b", "^\\s*$", "o{2,}",
    "[unclosed", "(open", "a**", "\\u00e9", "caf.", "^.*$", "\\w+, \\w+", "h.llo", "[^\\s]+\\s[^\\s]+", "\\$\\d",
    "^[\\s\\S]*$", "(?:one|two) three", "\\/", "[\\w-]+", "x|y|z|",
)  # fmt: skip
SCHEMAS: tuple[Any, ...] = (
    None,
    {"type": "object", "required": ["name", "age"]},
    {
        "type": "object",
        "properties": {"age": {"type": "integer", "minimum": 18}},
        "required": ["age"],
    },
    {"type": "array", "items": {"type": "number"}},
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {"name": {"type": "string"}},
    },
    {"type": "object", "unheard": True},
    "type: object\nrequired: [a]\n",
    {"properties": {"name": {"enum": ["Ada", "x"]}}},
    {"type": "string", "format": "email"},
    {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"},
)
CALLS: tuple[Any, ...] = (
    [("book", '{"seats": 2}')],
    [("book", '{"seats": "2"}')],
    [("book", '{"seats": 2, "more": 1}')],
    [("book", '{"to": "Rome"}')],
    [("cancel", "{}")],
    [("book", '{"seats": 1}'), ("cancel", "{}")],
    [("book", "no json")],
)


def cases(count: int, seed: int = 7) -> Iterator[dict[str, Any]]:
    """`count` cases as the script takes them, the same for the same seed."""
    chance = random.Random(seed)
    makers = (_words, _words, _words, _near, _json, _json, _markup, _took, _tools, _sets)
    for _ in range(count):
        yield chance.choice(makers)(chance)


def _kind(chance: random.Random, *kinds: str) -> str:
    return ("not-" if chance.random() < 0.3 else "") + chance.choice(kinds)


def _piece(chance: random.Random) -> str:
    words = chance.choice(TEXTS).split() or ["x"]
    start = chance.randrange(len(words))
    return " ".join(words[start : start + chance.randint(1, 3)])


def _words(chance: random.Random) -> dict[str, Any]:
    output = chance.choice(TEXTS + JSONS)
    kind = _kind(
        chance, "equals", "contains", "icontains", "contains-any", "contains-all", "icontains-any",
        "icontains-all", "starts-with", "regex", "levenshtein", "word-count", "is-refusal",
    )  # fmt: skip
    base = kind.removeprefix("not-")
    one: dict[str, Any] = {"type": kind}
    if base == "equals":
        one["value"] = chance.choice(
            [output, _piece(chance), 42, 4.5, True, None, {"name": "Ada", "age": 36}, [1, 2, 3]]
        )
    elif base in {"contains", "icontains"}:
        one["value"] = chance.choice(
            [_piece(chance), _piece(chance).upper(), 42, "", None, True]
        )
    elif "contains" in base:
        several: list[Any] = [_piece(chance), _piece(chance), 42]
        one["value"] = chance.choice(
            [
                several[: chance.randint(1, 3)],
                ", ".join(map(str, several[:2])),
                '"a, b" , c',
                '"open',
                [],
                "",
            ]
        )
    elif base == "starts-with":
        one["value"] = chance.choice([output[: chance.randint(0, 6)], _piece(chance), 4])
    elif base == "regex":
        one["value"] = chance.choice(PATTERNS)
    elif base == "levenshtein":
        one["value"] = chance.choice(TEXTS)
        if chance.random() < 0.6:
            one["threshold"] = chance.choice([0, 1, 3, 10, 40])
    elif base == "word-count":
        one["value"] = chance.choice(
            [
                3,
                10,
                "3",
                {"min": 2},
                {"max": 5},
                {"min": 2, "max": 9},
                {"min": 9, "max": 2},
                {},
                "x",
                None,
            ]
        )
    return {"assert": [one], "output": output}


def _near(chance: random.Random) -> dict[str, Any]:
    one: dict[str, Any] = {
        "type": _kind(chance, "bleu", "gleu", "rouge-n"),
        "value": chance.choice(TEXTS[:5] + TEXTS[12:]),
    }
    if "rouge" not in one["type"] and chance.random() < 0.3:
        one["value"] = [chance.choice(TEXTS), chance.choice(TEXTS)]
    if chance.random() < 0.7:
        one["threshold"] = chance.choice([0.1, 0.25, 0.5, 0.9, 1])
    return {"assert": [one], "output": chance.choice(TEXTS)}


def _json(chance: random.Random) -> dict[str, Any]:
    one: dict[str, Any] = {"type": _kind(chance, "is-json", "contains-json")}
    schema = chance.choice(SCHEMAS)
    if schema is not None:
        one["value"] = schema
    return {"assert": [one], "output": chance.choice(JSONS + TEXTS[:8])}


def _markup(chance: random.Random) -> dict[str, Any]:
    one: dict[str, Any] = {
        "type": _kind(chance, "is-xml", "contains-xml", "is-html", "contains-html")
    }
    if "xml" in one["type"] and chance.random() < 0.5:
        one["value"] = chance.choice(
            [
                "root.a",
                "note.to",
                "root.a,root.b",
                ["root"],
                {"requiredElements": ["root.a"]},
                "root.a.1",
            ]
        )
    return {"assert": [one], "output": chance.choice(MARKUP)}


def _took(chance: random.Random) -> dict[str, Any]:
    kind = _kind(chance, "latency", "cost", "finish-reason", "guardrails")
    one: dict[str, Any] = {"type": kind}
    if "finish" in kind:
        one["value"] = chance.choice(["stop", "STOP", "length", "tool_calls"])
    elif chance.random() < 0.9:
        one["threshold"] = chance.choice([0.001, 0.01, 100, 1000])
    case: dict[str, Any] = {"assert": [one], "output": "ok"}
    if chance.random() < 0.8:
        case |= {
            "latency": chance.choice([50, 100, 2000]),
            "cost": chance.choice([0.0005, 0.01, 0.5]),
        }
    if chance.random() < 0.8:
        case["finish"] = chance.choice(["stop", "length"])
    return case


def _tools(chance: random.Random) -> dict[str, Any]:
    kind = chance.choice(["is-valid-openai-tools-call", "tool-call-f1", "not-tool-call-f1"])
    one: dict[str, Any] = {"type": kind}
    if "f1" in kind:
        one["value"] = chance.choice(["book", "book, cancel", ["book", "refund"], [], "cancel"])
        if chance.random() < 0.5:
            one["threshold"] = chance.choice([0.5, 0.6, 1])
    case: dict[str, Any] = {"assert": [one]}
    if chance.random() < 0.75:
        case["output"] = [
            {"id": "", "type": "function", "function": {"name": name, "arguments": arguments}}
            for name, arguments in chance.choice(CALLS)
        ]
    else:
        case["output"] = chance.choice(
            [
                "no call",
                json.dumps([{"name": "book"}]),
                json.dumps({"tool_calls": [{"function": {"name": "book"}}]}),
                'I call\n{"type": "tool_use", "name": "cancel"}\nnow',
                "MCP Tool Result (book): done",
                "MCP Tool Error (book): broken",
            ]
        )
    if chance.random() < 0.9:
        case["tools"] = TOOLS
    return case


def _sets(chance: random.Random) -> dict[str, Any]:
    output = chance.choice(TEXTS)

    def one() -> dict[str, Any]:
        made: dict[str, Any] = {
            "type": _kind(chance, "contains", "icontains"),
            "value": _piece(chance),
        }
        if chance.random() < 0.3:
            made = {"type": _kind(chance, "bleu", "rouge-n"), "value": chance.choice(TEXTS)}
        if chance.random() < 0.5:
            made["weight"] = chance.choice([0, 0.5, 2, 3])
        if chance.random() < 0.4:
            made["metric"] = chance.choice(["tone", "facts"])
        return made

    several: list[dict[str, Any]] = [one() for _ in range(chance.randint(1, 4))]
    if chance.random() < 0.6:
        inner: dict[str, Any] = {
            "type": "assert-set",
            "assert": [one() for _ in range(chance.randint(1, 3))],
        }
        if chance.random() < 0.5:
            inner["threshold"] = chance.choice([0.3, 0.5, 1])
        if chance.random() < 0.5:
            inner["weight"] = chance.choice([0, 1, 2])
        if chance.random() < 0.4:
            inner["metric"] = "set"
        several.append(inner)
    case: dict[str, Any] = {"assert": several, "output": output}
    if chance.random() < 0.5:
        case["threshold"] = chance.choice([0, 0.25, 0.5, 0.75, 1])
    return case
