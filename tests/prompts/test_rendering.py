"""Rendering: every value where it belongs, nothing missing, and never without an end."""

import threading
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.kit.errors import OpsroomError
from opsroom.prompts.engine import engine_for
from opsroom.prompts.errors import (
    PromptRenderFailed,
    PromptTooCostly,
    PromptValueAbsent,
    PromptVariableMissing,
    PromptVariableUnknown,
    PromptVariableWrong,
)
from opsroom.prompts.filters import MAX_OUTPUT, Meter
from opsroom.prompts.includes import whole
from opsroom.prompts.model import (
    Message,
    PromptSpec,
    Role,
    Syntax,
    Variable,
    VariableType,
    chat_prompt,
    text_prompt,
)
from opsroom.prompts.rendering import Kept, prepare, render
from opsroom.prompts.template import FILTERS, TESTS


def variables(**types: str) -> dict[str, Variable]:
    return {name: Variable(type=VariableType(kind)) for name, kind in types.items()}


def shown(source: str, **values: Any) -> str:
    kinds = {
        str: "text",
        int: "number",
        float: "number",
        bool: "boolean",
        list: "list",
        dict: "object",
    }
    declared = variables(**{name: kinds[type(value)] for name, value in values.items()})
    return render(text_prompt(source, variables=declared), values).text or ""


@pytest.mark.parametrize(
    ("source", "values", "text"),
    [
        ("Hello {{ name }}!\n", {"name": "Ada"}, "Hello Ada!\n"),
        ("{{ a }} {{ b }} {{ c }} {{ d }}", {"a": 1, "b": 1.5, "c": True, "d": 1e300}, "1 1.5 true 1e+300"),
        ("{{ x }}", {"x": ["a", {"b": None}]}, '["a", {"b": null}]'),
        ("{{ x.b.c[1] }} {{ x['k k'] }}", {"x": {"b": {"c": [1, 2]}, "k k": "v"}}, "2 v"),
        ("<{{ x }}>", {"x": "<b>&\"'"}, "<<b>&\"'>"),
        ("{% for d in x %}\n- {{ loop.index }} {{ d.t }}\n{% endfor %}\nend", {"x": [{"t": "a"}, {"t": "b"}]}, "- 1 a\n- 2 b\nend"),
        ("{% for d in x if d > 1 %}{{ d }},{% else %}none{% endfor %}", {"x": [1, 2, 3]}, "2,3,"),
        ("{% for d in x %}{{ d }}{% else %}none{% endfor %}", {"x": []}, "none"),
        ("{% if x == 'a' %}A{% elif x in ['b', 'c'] %}BC{% else %}?{% endif %}", {"x": "c"}, "BC"),
        ("{{ 'yes' if x else 'no' }}{{ 'odd' if n is odd else 'even' }}", {"x": False, "n": 4}, "noeven"),
        ("{{ x[1:3] }}{{ x[-1] }}", {"x": "abcd"}, "bcd"),
        ("{{ x.y | default('d') }}{{ x.z | default(1) }}", {"x": {"y": None}}, "d1"),
        ("{{ x | upper }}{{ x | lower }}{{ x | title }}{{ x | capitalize }}{{ x | trim | length }}", {"x": " aB "}, " AB  ab  Ab  ab 2"),
        ("{{ x | join(', ') }} {{ x | first }} {{ x | last }} {{ x | length }}", {"x": ["b", 1]}, "b, 1 b 1 2"),
        ("{{ x | sort | join }}{{ x | sort(reverse=true) | join }}{{ x | unique | join }}{{ x | reverse | join }}", {"x": ["b", "a", "b"]}, "abbbbababab"),
        ("{{ x | sort(attribute='n') | tojson }}", {"x": [{"n": 2}, {"n": 1}]}, '[{"n": 1}, {"n": 2}]'),
        ("{{ x | replace('a', 'bb') }}{{ x | indent(2) }}{{ x | truncate(3) }}", {"x": "aa\nb"}, "bbbb\nbaa\n  baa…"),
        ("{{ a | round(1) }} {{ a | int }} {{ b | abs }} {{ c | float }}", {"a": 2.66, "b": -3, "c": "1.5"}, "2.7 2 3 1.5"),
        ("{% for k, v in x | items %}{{ k }}={{ v }};{% endfor %}", {"x": {"a": 1, "b": "é"}}, "a=1;b=é;"),
        ("{{ x | tojson }}", {"x": {"a": 'é"\n'}}, '{"a": "é\\"\\n"}'),
        ("{% raw %}{{ x }}{% endraw %}{# {{ y }} #}", {}, "{{ x }}"),
    ],
)  # fmt: skip
def test_a_template_says(source: str, values: dict[str, Any], text: str) -> None:
    assert shown(source, **values) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a\n{% if x %}\nb\n{% endif %}\nc\n", "a\nb\nc\n"),
        ("a\n  {% if x %}  \n  b\n\t{% endif %}\n c", "a\n  b\n c"),
        ("{% if x %}\r\nb\r\n{% endif %}\r\n", "b\r\n"),
        ("{# remark #}\na {# remark #}\nb", "a \nb"),
        ("a{% if x %} b{% endif %}\nc", "a b\nc"),
        ("{% if x %}b{% endif %}\nc", "b\nc"),
        ("  {% if x %}b{% endif %}\nc", "  b\nc"),
        ("  {% if x %}\n  {% endif %}", ""),
        ("a\n\n{% if x %}\n\nb\n\n{% endif %}\n\nc", "a\n\n\nb\n\n\nc"),
        ("a \n {%- if x -%} \n b \n {%- endif %}\nc", "ab\nc"),
        ("{{ x }}\n{{ x }}\n", "v\nv\n"),
        ("{% if x %}\n{% raw %}\n{{ y }}\n{% endraw %}\n{% endif %}\n", "\n{{ y }}\n\n"),
        ("{% if x\n   and x %}\nb\n{% endif %}", "b\n"),
    ],
)
def test_only_lines_that_hold_nothing_but_a_tag_vanish(source: str, text: str) -> None:
    prompt = text_prompt(source, variables={"x": Variable()})
    assert render(prompt, {"x": "v"}).text == text


def test_every_filter_and_test_is_there() -> None:
    """What the reader lets through, the engine knows; and the engine knows nothing else."""
    engine = engine_for(whole(text_prompt("x")), Meter(), 1000)
    known = (
        "abs attr batch bool capitalize center chain count d default dictsort e escape "
        "filesizeformat first float format groupby indent int items join last length lines list "
        "lower lstrip map max min pprint random reject rejectattr replace reverse round rstrip "
        "safe select selectattr slice sort split string striptags sum title tojson trim truncate "
        "unique upper urlencode urlize wordcount wordwrap xmlattr zip"
    )
    tests = (
        "boolean containing defined divisibleby endingwith eq equalto escaped even false filter "
        "float ge greaterthan gt in integer iterable le lessthan lower lt mapping ne none number "
        "odd safe sameas sequence startingwith string test true undefined upper"
    )
    for name in known.split():
        unknown = _says(engine, f"{{{{ 'x' | {name} }}}}", "filter")
        assert unknown == (name not in FILTERS), name
    for name in tests.split():
        unknown = _says(engine, f"{{{{ 'x' is {name} }}}}", "test")
        assert unknown == (name not in TESTS), name
    for name in ("range", "dict", "debug", "namespace", "lipsum", "cycler", "joiner"):
        assert _says(engine, f"{{{{ {name}(1) }}}}", "function"), name


def _says(engine: Any, source: str, kind: str) -> bool:
    try:
        engine.render_str(source)
    except Exception as error:  # noqa: BLE001  # whatever it says, it says it in words
        return f"unknown {kind}" in str(error)
    return False


def test_the_engine_alone_gives_no_methods() -> None:
    """Were the reader to miss a call, texts and numbers still have none, and data is a copy."""
    engine = engine_for(whole(text_prompt("x")), Meter(), 1000)
    for source in (
        "{{ s.upper() }}",
        "{{ s.__class__ }}",
        "{{ d.__class__ }}",
        "{{ d.clear }}",
    ):
        with pytest.raises(Exception, match=r"no method|undefined|data"):
            engine.render_str(source, s="x", d={"a": 1})


# -- values --

DESK = chat_prompt(
    ("system", "You work for {{ company }}."),
    ("user", "{{ question }}{% if urgent %} (urgent){% endif %}{{ note }}"),
    variables={
        "company": Variable(default="the desk"),
        "question": Variable(max_length=20),
        "urgent": Variable(type=VariableType.BOOLEAN, required=False),
        "note": Variable(required=False),
    },
)


def test_defaults_stand_in_for_what_is_not_passed() -> None:
    assert render(DESK, {"question": "Why?"}).messages == (
        Message(role=Role.SYSTEM, content="You work for the desk."),
        Message(role=Role.USER, content="Why?"),
    )
    given = {"question": "Why?", "urgent": True, "note": "!", "company": "us"}
    assert str(render(DESK, given)) == "You work for us.\n\nWhy? (urgent)!"
    assert str(render(DESK, {**given, "note": None, "company": None})).endswith("(urgent)")


def test_everything_missing_is_named_at_once() -> None:
    prompt = text_prompt(
        "{{ a }}{{ b }}{{ c }}", variables=variables(a="text", b="list", c="text")
    )
    with pytest.raises(PromptVariableMissing) as caught:
        render(prompt, {"c": "x"})
    assert caught.value.names == ["a", "b"]
    assert str(caught.value) == "no value for a, b"


def test_what_is_not_declared_is_refused() -> None:
    with pytest.raises(PromptVariableUnknown) as caught:
        render(DESK, {"question": "Why?", "compnay": "x", "y": 1})
    assert caught.value.names == ["compnay", "y"]
    assert caught.value.as_dict()["hint"] == "it declares: company, question, urgent, note"


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (1, "text is declared, and this is a number"),
        (True, "text is declared, and this is a boolean"),
        (None, "it is required, and this is nothing"),
        (["x"], "text is declared, and this is a list"),
        ("x" * 21, "it has 21 characters, and 20 are allowed"),
        (b"x", "text is declared, and this is no plain data (bytes)"),
    ],
)
def test_a_value_of_another_type_is_refused(value: object, why: str) -> None:
    with pytest.raises(PromptVariableWrong) as caught:
        render(DESK, {"question": value})
    assert (caught.value.name, caught.value.why) == ("question", why)


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("number", [True, "1", [], float("nan"), float("inf"), 2**53]),
        ("boolean", [0, 1, "true", None]),
        ("list", [{}, "a", {"a"}, (1,)]),
        ("object", [[], "a", [("a", 1)]]),
    ],
)
def test_types_are_not_guessed(kind: str, wrong: list[object]) -> None:
    prompt = prepare(text_prompt("{{ x }}", variables=variables(x=kind)))
    for value in wrong:
        with pytest.raises(PromptVariableWrong):
            prompt.render({"x": value})


def test_deep_values_are_refused() -> None:
    value: list[Any] = []
    for _ in range(40):
        value = [value]
    with pytest.raises(PromptVariableWrong, match="nested deeper"):
        shown("{{ x }}", x=value)


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("a\n{{ x.missing }}", "`x.missing`"),
        ("a\n{{ x.list[5].name }}", "`x.list[5].name`"),
        ("a\n{% if x.missing %}{% endif %}", "`x.missing`"),
        ("a\n{% for y in x.missing %}{% endfor %}", "x.missing"),
    ],
)
def test_a_missing_field_is_named(source: str, what: str) -> None:
    with pytest.raises(PromptValueAbsent) as caught:
        shown(source, x={"list": []})
    assert caught.value.line == 2
    assert what in caught.value.what
    assert (
        caught.value.as_dict()["hint"]
        == "pass it, or write {{ … | default('') }} where it may be absent"
    )


@pytest.mark.parametrize(
    "source",
    [
        "{{ x.n | upper }}",
        "{{ x.t | join }}",
        "{{ x | sort }}",
        "{{ x.l | sort }}",
        "{{ x.t | replace('', 'a') }}",
        "{{ x.t | indent(1000) }}",
        "{{ x.t | truncate(0) }}",
        "{{ x.t | int }}",
        "{{ x.t | float }}",
        "{{ x.t | upper(1, 2) }}",
        "{{ x.missing | upper }}",
        "{{ 'nan' | float }}",
        "{% for y in x.n %}{% endfor %}",
        "{{ x.t[1.5:] }}",
    ],
)
def test_what_cannot_be_done_is_an_error_and_not_a_guess(source: str) -> None:
    with pytest.raises(PromptRenderFailed) as caught:
        shown(source, x={"n": 1, "t": "text", "l": [1, "a"]})
    assert caught.value.place == "text"


def test_errors_do_not_repeat_values() -> None:
    secret = "sk-secret-value"
    sources = (
        "{{ x.t.missing }}",
        "{{ x.t | int }}",
        "{{ x.t | sort }}",
        "{% for a in x.n %}{% endfor %}",
        "{{ x.nothing }}",
    )
    for source in sources:
        with pytest.raises(OpsroomError) as caught:
            shown(source, x={"t": secret, "n": 1})
        assert secret not in str(caught.value.as_dict())
        assert secret not in repr(caught.value.__cause__)


def test_a_literal_prompt_is_not_a_template() -> None:
    text = "{{ x }} {% if %} {# {{{{ }}}} #}\n" + "{{" * 20_000
    assert render(text_prompt(text, syntax=Syntax.LITERAL), {}).text == text


# -- bombs --

N = 20_000
HALF = "x" * 500_000
LOOPS = "{% for a in l %}{% for b in l %}{% for c in l %}%s{% endfor %}{% endfor %}{% endfor %}"
NUMBERS = {"l": [1] * N}
WORDS = {"l": ["x" * 40] * N}
BIG = {"l": [1] * N, "d": {"a": HALF, "b": HALF[:-1] + "y"}}
IN_LOOPS: list[tuple[str, dict[str, Any]]] = [
    ("", NUMBERS),
    ("{{ c }}", NUMBERS),
    ("{{ c }}", WORDS),
    ("y" * 200_000, NUMBERS),
    ("y" * 2_000, NUMBERS),
    ("y{##}" * 4_000, NUMBERS),
    ("{{ l }}", NUMBERS),
    ("{{ l | tojson | length }}", NUMBERS),
    ("{{ l | sort | length }}", WORDS),
    ("{{ l | unique | length }}", WORDS),
    ("{{ l | reverse | length }}", NUMBERS),
    ("{{ l | join(d.a) | length }}", BIG),
    ("{{ d.a | replace('x', d.a) | length }}", BIG),
    ("{{ d.a | upper | length }}", BIG),
    ("{% if l | first %}{% endif %}", NUMBERS),
    ("{% if d.a %}{% endif %}", BIG),
    ("{% if d.a == d.b %}{% endif %}", BIG),
    ("{% if d.b in d.a %}{% endif %}", BIG),
    ("{% if 5 in l %}{% endif %}", NUMBERS),
    ("{% if 'q' in l %}{% endif %}", WORDS),
    ("{% if l == l[1:] %}{% endif %}", NUMBERS),
    ("{% if d.a[1:] %}{% endif %}", BIG),
]
BOMBS: list[tuple[str, dict[str, Any]]] = [
    *((LOOPS.replace("%s", body), values) for body, values in IN_LOOPS),
    ("{% for a in d.a %}{% for b in d.a %}{% endfor %}{% endfor %}", BIG),
    ("{{ d.a }}" * 4_000, BIG),
    ("{% if d.b in d.a %}{% endif %}" * 2_400, BIG),
    ("{{ d.a | upper | lower | upper | lower | upper | lower | upper | lower | upper }}", BIG),
    ("{{ d }}{{ d }}", BIG),
]


@pytest.mark.parametrize(("source", "values"), BOMBS)
def test_a_bomb_ends_soon(source: str, values: dict[str, Any]) -> None:
    """About 50 ms of one processor, whatever is in it; four times that before we complain."""
    kinds = {"l": "list", "d": "object"}
    used = {
        name: value
        for name, value in values.items()
        if f"{name}." in source or f" {name} " in source
    }
    declared = variables(**{name: kinds[name] for name in used})
    prompt = prepare(text_prompt(source, variables=declared))
    begun = time.process_time()
    with pytest.raises(PromptTooCostly) as caught:
        prompt.render(used)
    assert time.process_time() - begun < 0.2
    assert caught.value.status == 413


def test_long_prompts_of_honest_work_are_rendered() -> None:
    documents = [
        {"id": n, "text": f"passage {n} " * 100, "tags": ["a", "b"]} for n in range(500)
    ]
    source = (
        "{% for d in docs %}\n<doc id=\"{{ d.id }}\">{% if 'b' in d.tags %}*{% endif %}"
        "{{ d.text | trim }}{% for t in d.tags %}{{ t }}{% endfor %}</doc>\n{% endfor %}"
    )
    assert len(shown(source, docs=documents)) > 500_000
    assert (
        len(shown("<d>{{ x }}</d>{% if 'passage' in x %}!{% endif %}", x="y" * 1_000_000))
        == 1_000_007
    )


def test_the_output_has_an_end() -> None:
    assert len(shown("{{ x }}", x="x" * MAX_OUTPUT)) == MAX_OUTPUT
    with pytest.raises(PromptTooCostly, match="characters"):
        shown("{{ x }}.", x="x" * MAX_OUTPUT)
    half = MAX_OUTPUT // 2 + 1
    with pytest.raises(PromptTooCostly, match="characters"):
        render(
            chat_prompt(
                ("user", "{{ x }}"), ("user", "{{ x }}"), variables=variables(x="text")
            ),
            {"x": "x" * half},
        )


def test_too_many_values_are_refused() -> None:
    with pytest.raises(PromptTooCostly, match="entries"):
        shown("{{ x | length }}", x=[0] * 60_000)
    with pytest.raises(PromptTooCostly, match="characters"):
        shown("{{ x | length }}", x=["x" * 600_000] * 2)


# -- again and again --

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text("ab{}%", max_size=5),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text("ab", max_size=2), one, max_size=3),
    max_leaves=6,
)  # fmt: skip


@given(value=st.dictionaries(st.text("ab", max_size=2), PLAIN, max_size=3))
def test_rendering_is_deterministic(value: dict[str, Any]) -> None:
    prompt = text_prompt(
        "{{ x }}{% for k, v in x | items %}{{ k }}{{ v }}{% endfor %}",
        variables=variables(x="object"),
    )
    assert render(prompt, {"x": value}) == prepare(prompt).render({"x": value})


def test_one_prompt_serves_many_threads() -> None:
    """Each rendering has its own meter, and its own values."""
    prompt = prepare(
        text_prompt("{% for y in x %}{{ y }}{% endfor %}", variables=variables(x="list"))
    )
    wrong: list[bool] = []

    def work(name: str) -> None:
        texts = {prompt.render({"x": [name] * 3000}).text for _ in range(25)}
        wrong.append(texts != {name * 3000})

    threads = [threading.Thread(target=work, args=(name * 50,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == [False] * 4


def test_what_was_prepared_is_kept() -> None:
    kept = Kept(size=2)
    parts = {"tone@1": text_prompt("Be kind.")}
    spec = text_prompt('{% include "tone" %}', includes={"tone": "tone@1"})
    first = kept.prepared("a", spec, include=parts.__getitem__)
    assert kept.prepared("a", spec, include=parts.__getitem__) is first
    other = {"tone@1": text_prompt("Be brief.")}
    changed = kept.prepared("a", spec, include=other.__getitem__)
    assert changed.render({}).text == "Be brief."
    assert kept.prepared("a", text_prompt("x")).render({}).text == "x"
    for digest in ("b", "c"):
        kept.prepared(digest, PromptSpec(format=spec.format, text=digest))
    again = kept.prepared("a", spec, include=parts.__getitem__)
    assert again is not first
    assert again.render({}).text == "Be kind."
