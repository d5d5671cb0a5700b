"""Assertions on XML and HTML. Entities that a document brings along are never expanded."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from xml.parsers import expat

from opsroom.evals.evaluators.reading import quoted

from .model import Answer, Check, Unclear, Verdict, plainly
from .words import as_text, trimmed

LONGEST = 1_000_000  # characters
MAX_DEPTH = 200
MAX_CANDIDATES = 200


class _NotXml(Exception):
    """A text is not well formed, or brings what is not read."""


@dataclass(slots=True)
class _Node:
    """An element: its children by name, and whether it has attributes or words."""

    children: dict[str, list["_Node"]] = field(default_factory=dict[str, list["_Node"]])
    attributes: tuple[str, ...] = ()
    words: bool = False


def is_xml(assertion: Mapping[str, Any], answer: Answer) -> Verdict:
    paths = _paths(assertion)
    try:
        root = _tree(answer.text)
    except _NotXml as error:
        return plainly(False, assertion, str(error))
    missing = [one for one in paths if not _reaches(root, one.split("."))]
    return plainly(not missing, assertion, f"{missing or 'everything'} is missing"[:200])


def contains_xml(assertion: Mapping[str, Any], answer: Answer) -> Verdict:
    paths = _paths(assertion)
    for count, candidate in enumerate(_candidates(_bounded(answer.text))):
        if count == MAX_CANDIDATES:
            raise Unclear("the answer has too many elements to look for XML in it")
        try:
            # What an entity stands for is never looked at here.
            root = _tree(f"<_>{candidate.replace('&', '&amp;')}</_>").children["_"][0]
        except _NotXml:
            continue
        if all(_reaches(root, one.split(".")) for one in paths):
            return plainly(True, assertion, "XML is there")
    return plainly(False, assertion, "there is no XML of this form")


def _paths(assertion: Mapping[str, Any]) -> list[str]:
    match assertion.get("value"):
        case str() as text if text:
            return [trimmed(one) for one in text.split(",")]
        case list() as many:
            return [as_text(one) for one in many]
        case {"requiredElements": list() as many}:
            return [as_text(one) for one in many]
        case None | "" | {}:
            return []
        case value:
            if isinstance(value, dict) and value:
                raise Unclear("xml needs a text or a list as value, or none")
            return []


def _tree(text: str) -> _Node:
    """The elements of a document, under one node. Raises `_NotXml`."""
    _bounded(text)
    top = _Node()
    nodes = [top]

    def start(name: str, attributes: list[str]) -> None:
        if len(nodes) > MAX_DEPTH:
            raise _NotXml(f"it is nested deeper than {MAX_DEPTH}")
        node = _Node(attributes=tuple(attributes[::2]))
        nodes[-1].children.setdefault(name, []).append(node)
        nodes.append(node)

    def end(_: str) -> None:
        nodes.pop()

    def words(text: str) -> None:
        nodes[-1].words = nodes[-1].words or bool(text.strip())

    def doctype(_name: str, _system: str | None, _public: str | None, internal: int) -> None:
        if internal:
            raise _NotXml("a document type with declarations of its own is not read")

    def entity(*_: Any) -> None:
        raise _NotXml("entities of a document are not read")

    parser = expat.ParserCreate()
    parser.ordered_attributes = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = words
    parser.StartDoctypeDeclHandler = doctype
    parser.EntityDeclHandler = entity
    try:
        parser.Parse(text.encode("utf-8", "replace"), True)
    except expat.ExpatError as error:
        raise _NotXml(f"it is no XML: {error}") from error
    return top


def _reaches(node: _Node, path: list[str]) -> bool:
    """Whether a path of names leads somewhere; of several elements, a number chooses one."""
    many = [node]
    for at, step in enumerate(path):
        if len(many) > 1:
            if not (step.isdecimal() and str(int(step)) == step and int(step) < len(many)):
                return False
            many = [many[int(step)]]
            continue
        [one] = many
        if step.startswith("@_"):
            return at == len(path) - 1 and step[2:] in one.attributes
        if step == "#text":
            mixed = bool(one.children or one.attributes)
            return at == len(path) - 1 and one.words and mixed
        if step not in one.children:
            return False
        many = one.children[step]
    return True


_NAME = r"[A-Za-z_:\u00c0-\uffff][\w:.\-\u00b7-\uffff]*"
_TAG = re.compile(
    rf"<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)|<\?.*?(?:\?>|\Z)"
    rf"|<(?P<closes>/)?(?P<name>{_NAME})(?P<rest>(?:\"[^\"]*\"|'[^']*'|[^\"'<>])*)>",
    re.DOTALL,
)


def _candidates(text: str) -> Iterator[str]:
    """Stretches of a text that may be XML: neighbours together first, then one by one."""
    stack: list[tuple[str, int]] = []
    found: list[tuple[int, int, int]] = []  # start, end, start of what is around it or -1
    for tag in _TAG.finditer(text):
        name = tag["name"]
        if name is None:
            continue
        if tag["closes"]:
            if not stack or stack[-1][0] != name:
                stack.clear()
                continue
            _, start = stack.pop()
            found.append((start, tag.end(), stack[-1][1] if stack else -1))
        elif tag["rest"].rstrip().endswith("/"):
            found.append((tag.start(), tag.end(), stack[-1][1] if stack else -1))
        else:
            stack.append((name, tag.start()))
    starts = {start for start, _, _ in found}
    loose = sorted(one for one in found if one[2] not in starts)
    around: dict[int, list[tuple[int, int, int]]] = {}
    for one in loose:
        around.setdefault(one[2], []).append(one)
    for siblings in around.values():
        if len(siblings) > 1:
            yield text[siblings[0][0] : siblings[-1][1]]
    for start, end, _ in loose:
        yield text[start:end]


def _bounded(text: str) -> str:
    if len(text) > LONGEST:
        raise Unclear(f"texts beyond {LONGEST} characters are not read as markup")
    return text


# -- HTML --

# fmt: off
_ELEMENTS = frozenset("""
html head title base link meta style body article section nav aside h1 h2 h3 h4 h5 h6 header footer
address p hr pre blockquote ol ul li dl dt dd figure figcaption main div a em strong small s cite q
dfn abbr ruby rt rp data time code var samp kbd sub sup i b u mark bdi bdo span br wbr img iframe
embed object param picture source video audio track map area svg math script noscript canvas ins
del table caption colgroup col tbody thead tfoot tr td th form label input button select datalist
optgroup option textarea output progress meter fieldset legend details summary dialog menu slot
template""".split())  # noqa: SIM905
_VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())  # noqa: SIM905
_BLOCKS = frozenset("""
address article aside blockquote details dialog dd div dl dt fieldset figcaption figure footer form
h1 h2 h3 h4 h5 h6 header hr main menu nav ol p pre section table ul""".split())  # noqa: SIM905
_TABLE_PARTS = frozenset("caption col colgroup tbody td tfoot th thead tr".split())  # noqa: SIM905
_WRAPPERS = frozenset({"html", "head", "body"})
# fmt: on


class _Html(HTMLParser):
    """Notes whether words stand outside of every element, and whether there is one we know."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.stack: list[str] = []
        self.loose = self.known = self.body = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002  # the name is the parser's
        if tag in _TABLE_PARTS and "table" not in self.stack:
            return  # without a table around it such a tag means nothing
        self.known = self.known or tag in _ELEMENTS or "-" in tag
        self.body = self.body or tag == "body"
        if tag in _BLOCKS and "p" in self.stack:
            del self.stack[self.stack.index("p") :]
        if tag not in _VOID and tag not in _WRAPPERS:
            if len(self.stack) > MAX_DEPTH:
                raise Unclear(f"the answer is nested deeper than {MAX_DEPTH}")
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "p" and "p" not in self.stack:
            self.known = True  # a closing </p> alone makes an empty paragraph
        elif tag == "br":
            self.known = True
        elif tag in self.stack:
            at = len(self.stack) - 1 - self.stack[::-1].index(tag)
            del self.stack[at:]

    def handle_data(self, data: str) -> None:
        if not self.stack and data.strip(" \t\n\f\r"):
            self.loose = True


def is_html(assertion: Mapping[str, Any], answer: Answer) -> Verdict:
    text = trimmed(_bounded(answer.text))
    if not text or re.match(r"\s*<\?xml", text, re.IGNORECASE):
        return plainly(False, assertion, f"{quoted(text)} is no HTML")
    reader = _Html()
    reader.feed(text)
    reader.close()
    if reader.loose and not reader.body:
        return plainly(False, assertion, "words stand outside of every element")
    return plainly(reader.known, assertion, "there is no element of HTML")


_COMMON = (
    "html|head|body|div|span|p|a|img|h[1-6]|ul|ol|li|table|tr|td|th|form|input|button|script|style"
    "|link|meta|br|hr"
)
_SIGNS: tuple[tuple[str, int], ...] = (
    (r"<[a-zA-Z][a-zA-Z0-9-]*(?:\s[^>]*)?/>", 1),
    (r"&(?:[a-zA-Z]+|#[0-9]+|#x[0-9a-fA-F]+);", 1),
    (r"(?i)<!DOCTYPE\s+html", 2),
    (r"<!--[^-]*(?:-[^-]+)*-->", 1),
    (r"\s[a-zA-Z-]+=\s*[\"'][^\"']*[\"']", 1),
    (rf"(?i)<(?:{_COMMON})\b", 2),
)
_OPENS = r"<[a-zA-Z][a-zA-Z0-9-]*(?:\s[^>]*)?>"
_CLOSES = r"</[a-zA-Z][a-zA-Z0-9-]*\s*>"


def contains_html(assertion: Mapping[str, Any], answer: Answer) -> Verdict:
    """Signs of HTML are counted; two are enough."""
    text = _bounded(answer.text)
    opens, closes = (_there(one)(text) for one in (_OPENS, _CLOSES))
    signs = opens + closes + sum(worth for sign, worth in _SIGNS if _there(sign)(text))
    return plainly(signs >= 2, assertion, f"{signs} signs of HTML")


def _there(pattern: str) -> Callable[[str], bool]:
    import re2  # noqa: PLC0415  # in linear time, whatever stands in the answer

    ready = re2.compile(pattern)
    return lambda text: ready.search(text) is not None


CHECKS: dict[str, Check] = {
    "is-xml": is_xml,
    "contains-xml": contains_xml,
    "is-html": is_html,
    "contains-html": contains_html,
}
