"""Whatever a template or a value holds, nothing of it is executed (T1).

As a template a payload is refused or stands in the result as it is; as a value it always
stands there as it is. An audit hook of the interpreter watches that nothing is run, imported,
opened or sent meanwhile.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.kit.errors import OpsroomError
from opsroom.prompts.model import (
    PromptSpec,
    Syntax,
    Variable,
    VariableType,
    chat_prompt,
    text_prompt,
)
from opsroom.prompts.rendering import prepare, render

PAYLOADS = [
    # Jinja: ways to the interpreter
    "{{ 7*7 }}",
    "{{ 7*'7' }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ''['__class__'] }}",
    '{{ ""["__cl" ~ "ass__"] }}',
    "{{ ''|attr('__class__') }}",
    "{{ value|attr('__class__') }}",
    "{{ value.__class__ }}",
    "{{ value.__init__.__globals__ }}",
    "{{ value['__init__'] }}",
    '{{ value["\\x5f\\x5fclass\\x5f\\x5f"]() }}',
    "{{ value.format('{0.__class__}') }}",
    "{{ value.format_map(value) }}",
    "{{ value.upper() }}",
    "{{ value.encode() }}",
    "{{ object.clear() }}",
    "{{ object.pop('secret') }}",
    "{{ object.update({'a': 1}) }}",
    "{{ object.items() }}",
    "{{ object.get('x') }}",
    "{{ list.append(1) }}",
    "{{ list.sort() }}",
    "{{ self }}",
    "{{ self.__init__.__globals__.__builtins__ }}",
    "{{ config }}",
    "{{ config.items() }}",
    "{{ request.application.__globals__ }}",
    "{{ url_for.__globals__ }}",
    "{{ get_flashed_messages.__globals__ }}",
    "{{ lipsum.__globals__['os'].popen('id').read() }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ joiner.__init__.__globals__ }}",
    "{{ namespace.__init__.__globals__ }}",
    "{{ range(10) }}",
    "{{ range(1000000000)|list }}",
    "{{ dict(a=1) }}",
    "{{ debug() }}",
    "{{ super() }}",
    "{{ caller() }}",
    "{{ varargs }}",
    "{{ __import__('os').system('id') }}",
    "{{ eval('7*7') }}",
    "{{ open('/etc/passwd').read() }}",
    "{{ value|map('upper')|list }}",
    "{{ value|map(attribute='__class__')|list }}",
    "{{ list|selectattr('__class__')|list }}",
    "{{ list|groupby('__class__') }}",
    "{{ value|format('x') }}",
    "{{ '%s'|format(value) }}",
    "{{ value|safe }}",
    "{{ value|urlencode }}",
    "{{ value|pprint }}",
    "{{ value|random }}",
    "{{ value is divisibleby(0) }}",
    "{{ value is filter('x') }}",
    "{{ {'a': 1}.a }}",
    "{{ [value, [value]] }}",
    "{{ value ~ value }}",
    "{{ value + value }}",
    "{{ (1).__class__ }}",
    "{{ 1.__class__ }}",
    "{{ loop }}",
    "{{ value",
    "{{ }}",
    "{{{ value }}}",
    "{% import 'os' as os %}{{ os.system('id') }}",
    "{% from 'x' import y %}",
    "{% extends 'base' %}",
    "{% include '/etc/passwd' %}",
    "{% include '../../etc/passwd' %}",
    "{% include value %}",
    "{% include ['a', 'b'] ignore missing %}",
    "{% macro x() %}{{ x() }}{% endmacro %}{{ x() }}",
    "{% call x() %}{% endcall %}",
    "{% set x = 1 %}{{ x }}",
    "{% set x %}{{ value }}{% endset %}",
    "{% set ns = namespace(x=1) %}",
    "{% filter upper %}x{% endfilter %}",
    "{% block a %}{% endblock %}",
    "{% with x = 1 %}{% endwith %}",
    "{% autoescape false %}{% endautoescape %}",
    "{% do object.clear() %}",
    "{% debug %}",
    "{% for x in ().__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}",
    "{% for x in list recursive %}{{ loop(list) }}{% endfor %}",
    "{% for x in list %}{{ loop.cycle('a') }}{% endfor %}",
    "{% for x in list %}{% break %}{% endfor %}",
    "{% if ''.__class__ %}x{% endif %}",
    "{% print(7*7) %}",
    "{%- raw -%}{{ 7*7 }}",
    "{# {{ 7*7 }}",
    # Mako, ERB, Freemarker, Velocity, Ruby, JavaScript
    "${7*7}",
    "${self.module.cache.util.os.system('id')}",
    "<% import os; x = os.popen('id').read() %>${x}",
    "<%= 7*7 %>",
    "<%! import os %>",
    '<#assign ex="freemarker.template.utility.Execute"?new()>${ex("id")}',
    "#set($x = 7*7)$x",
    "#{7*7}",
    "@(7*7)",
    "`7*7`",
    "$(id)",
    "[[${7*7}]]",
    "[(${T(java.lang.Runtime).getRuntime().exec('id')})]",
    "*{7*7}",
    # Handlebars and friends
    "{{#with value}}{{this.constructor}}{{/with}}",
    "{{#each object}}{{@key}}{{/each}}",
    "{{> /etc/passwd }}",
    "{{&value}}",
    "{{lookup this 'constructor'}}",
    "{{!-- remark --}}",
    "{{constructor.constructor('return process')()}}",
    "{{@root}}",
    # str.format, %, f-strings, string.Template
    "{0.__class__.__init__.__globals__}",
    "{value.__class__}",
    "{value!r:>1000000000}",
    "{}",
    "%(value)s",
    "%s%n%x%999999999d",
    "%(__class__)s",
    "{value:{value}}",
    "$value ${value.__class__}",
    "f'{7*7}'",
]
VALUES: dict[str, Any] = {"value": "v", "object": {"secret": "of the caller"}, "list": ["l"]}
VARIABLES = {
    "value": Variable(),
    "object": Variable(type=VariableType.OBJECT),
    "list": Variable(type=VariableType.LIST),
}
WATCHED = ("os.", "subprocess.", "exec", "compile", "open", "socket.", "import", "ctypes.")
_seen: list[str] | None = None


def _hook(event: str, _arguments: object) -> None:
    if _seen is not None and event.startswith(WATCHED):
        _seen.append(event)


sys.addaudithook(_hook)  # cannot be taken back, so it does nothing unless somebody watches


@contextmanager
def nothing_runs() -> Iterator[None]:
    global _seen  # noqa: PLW0603  # an audit hook has nowhere else to write
    _seen = []
    try:
        yield
        assert _seen == []
    finally:
        _seen = None


def test_there_are_enough_payloads() -> None:
    assert len(set(PAYLOADS)) == len(PAYLOADS) > 100


@pytest.fixture(autouse=True, scope="module")
def _engine_has_loaded() -> None:
    """The engine imports what it makes errors of when it makes the first."""
    with pytest.raises(OpsroomError):
        render(text_prompt("{{ unknown }}"), {})


def outcome(prompt: PromptSpec) -> str | OpsroomError:
    values = {name: VALUES[name] for name in prompt.variables}
    with nothing_runs():
        try:
            return str(render(prompt, values))
        except OpsroomError as error:
            return error


@pytest.mark.parametrize("payload", PAYLOADS)
def test_as_a_template_it_is_refused_or_stands_as_it_is(payload: str) -> None:
    for prompt in (
        text_prompt(f"before {payload} after", variables=VARIABLES),
        chat_prompt(("system", payload), ("user", "{{ value }}"), variables=VARIABLES),
    ):
        found = outcome(prompt)
        if isinstance(found, OpsroomError):
            assert found.code.startswith("prompt_")
            assert VALUES["object"]["secret"] not in found.as_dict()["message"]
        else:
            assert payload in found
    assert VALUES["object"] == {"secret": "of the caller"}


@pytest.mark.parametrize("payload", PAYLOADS)
def test_taken_literally_it_stands_as_it_is(payload: str) -> None:
    assert outcome(text_prompt(payload, syntax=Syntax.LITERAL)) == payload


EVERYWHERE = chat_prompt(
    ("system", "{{ value }}|{{ value | trim }}|{{ object.key }}|{{ object['key'] }}"),
    ("user", "{% for one in list %}{{ one }}{% endfor %}|{{ list | join }}"),
    ("user", "{% if value == 1 %}{% else %}{{ value if value else 'no' }}{% endif %}"),
    ("assistant", "{% for k, v in object | items %}{{ v }}{% endfor %}"),
    variables=VARIABLES,
)


def places(text: str) -> list[str]:
    return [f"{text}|{text.strip()}|{text}|{text}", f"{text}|{text}", text or "no", text]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_as_a_value_it_stands_as_it_is(payload: str) -> None:
    prompt = prepare(EVERYWHERE)
    values = {"value": payload, "object": {"key": payload}, "list": [payload]}
    with nothing_runs():
        rendered = prompt.render(values)
    assert [message.content for message in rendered.messages] == places(payload)


TEXTS = st.text(
    st.one_of(
        st.sampled_from("{}%#-+|.'\"()[] \nx_"), st.characters(exclude_categories=["Cs"])
    ),
    max_size=40,
)
PREPARED = prepare(EVERYWHERE)


@given(text=TEXTS)
def test_no_value_is_ever_read_as_a_template(text: str) -> None:
    values = {"value": text, "object": {"key": text}, "list": [text]}
    first = PREPARED.render(values)
    assert [message.content for message in first.messages] == places(text)
    assert PREPARED.render(values) == first == render(EVERYWHERE, values)


class Loud(str):
    """A text that would notice being asked anything."""

    __slots__ = ()

    def __html__(self) -> str:
        raise AssertionError

    def __str__(self) -> str:
        raise AssertionError


class Thing:
    secret = "s"

    def run(self) -> None:
        raise AssertionError

    def keys(self) -> list[str]:
        raise AssertionError


@pytest.mark.parametrize(
    "value",
    [
        Loud("x"),
        Thing(),
        Thing,
        print,
        b"bytes",
        ("tuple",),
        {"set"},
        iter([1]),
        lambda: 1,
        [Thing()],
        {"a": [{"b": Thing()}]},
        {"a": Loud("x")},
        {Loud("a"): 1},
        {1: "a"},
        type("Mapping", (dict,), {})(a=1),
        [1j],
        [2**53],
        [float("nan")],
        ["\ud800"],
        {"\udfff": 1},
    ],
    ids=lambda value: type(value).__name__,
)
def test_only_plain_data_is_taken(value: object) -> None:
    for kind in VariableType:
        prompt = text_prompt("{{ x }}", variables={"x": Variable(type=kind)})
        with pytest.raises(OpsroomError) as caught:
            render(prompt, {"x": value})
        assert caught.value.code == "prompt_variable_wrong"


@pytest.mark.parametrize("path", ["items", "keys", "append", "copy", "pop", "real", "upper"])
def test_methods_are_not_values(path: str) -> None:
    for value in ({"a": 1}, {"a": [1]}):
        prompt = text_prompt(
            f"{{{{ x.{path} }}}}{{{{ x.a.{path} }}}}",
            variables={"x": Variable(type=VariableType.OBJECT)},
        )
        with pytest.raises(OpsroomError) as caught:
            render(prompt, {"x": value})
        assert caught.value.code in {"prompt_render_failed", "prompt_value_absent"}
    named = text_prompt("{{ x.items }}", variables={"x": Variable(type=VariableType.OBJECT)})
    assert render(named, {"x": {"items": "mine"}}).text == "mine"


def test_the_callers_data_stays_as_it_is() -> None:
    inner = ["b", "a"]
    values = {"value": "v", "object": {"key": inner}, "list": inner}
    text = "{{ list | sort | join }}{{ list | reverse | join }}{{ object.key | tojson }}{{ value }}"
    prompt = text_prompt(text, variables=VARIABLES)
    assert render(prompt, values).text == 'abab["b", "a"]v'
    assert inner == ["b", "a"]
