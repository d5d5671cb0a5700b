"""The template language: small, understood as the engine understands it, refused by place."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from minijinja import Environment, TemplateError

from opsroom.kit.errors import OpsroomError
from opsroom.prompts.errors import TemplateBroken, TemplateRefused
from opsroom.prompts.model import text_prompt
from opsroom.prompts.rendering import render
from opsroom.prompts.syntax import read_template
from opsroom.prompts.template import Does, placing


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("plain { text } with 5 % and # signs", []),
        ("{{ a }}{{- b -}}{{+ c }}", ["a", "b", "c"]),
        ("{{ a.b[c].d['e'][0][f:] | default(g) | join(', ') }}", ["a", "c", "f", "g"]),
        ("{{ a if b else c if not d else 'x' }}", ["a", "b", "c", "d"]),
        ("{% if a and (b or not c) %}{% elif d in ['x', 1] %}{% else %}{{ e }}{% endif %}", [*"abcde"]),
        ("{% for x in a if x.ok == b %}{{ x }}{{ loop.index }}{% else %}{{ x }}{% endfor %}", [*"abx"]),
        ("{% for k, v in a | items %}{{ k }}{{ v }}{% endfor %}{{ k }}", ["a", "k"]),
        ("{% for x in x %}{% for y in x %}{{ y }}{{ x }}{% endfor %}{{ y }}{% endfor %}", ["x", "y"]),
        ("{% include 'one' %}{% if a is defined %}{% include \"two\" %}{% endif %}", ["a"]),
        ("{% raw %}{{ a }}{% if %}{% endraw %}{# {{ b }} #}{{ '}}' }}{{ \"{% x %}\" }}", []),
        ("{{ a is not none and b is string }}", ["a", "b"]),
        ("{{ -1 }}{{ 2.5 }}{{ true }}{{ None }}", []),
    ],
)  # fmt: skip
def test_it_knows_what_a_template_needs(source: str, names: list[str]) -> None:
    assert sorted(read_template(source).names) == sorted(names)


@pytest.mark.parametrize(
    ("source", "line", "column", "why"),
    [
        ("a\nb {{ x ", 2, 8, "ends inside"),
        ("{{ }}", 1, 4, "a value is missing"),
        ("{{ x y }}", 1, 6, "'y' is out of place"),
        ("{{ 'x }}", 1, 4, "never closed"),
        ("{{ x %}", 1, 6, "not '}}'"),
        ("{% if x }}", 1, 9, "not '%}'"),
        ("ä\n{% if x %}", 2, 1, "{% if %} is never closed"),
        ("{% endif %}", 1, 1, "out of place"),
        ("{% for x in y %}{% endif %}", 1, 17, "out of place"),
        ("{% if x %}{% else %}{% elif y %}{% endif %}", 1, 21, "after"),
        ("{% if x %}{% else %}{% else %}{% endif %}", 1, 21, "second"),
        ("{% for in x %}", 1, 8, "cannot be a loop variable"),
        ("{% for x y %}", 1, 10, "`in`"),
        ("{% for loop in y %}", 1, 8, "cannot be a loop variable"),
        ("{{ loop.index }}", 1, 4, "no value here"),
        ("{% raw %}{{ x }}", 1, 1, "{% raw %} is never closed"),
        ("{% endraw %}", 1, 1, "out of place"),
        ("{# x", 1, 1, "{# is never closed"),
        ("{{ x. }}", 1, 7, "a name is missing"),
        ("{{ x | }}", 1, 8, "a filter is missing"),
        ("{{ x | upper.y }}", 1, 13, "parentheses"),
        ("{{ (x }}", 1, 7, "')' is missing"),
        ("{{ x is none y }}", 1, 9, "parentheses"),
        ("{{ 1234567890123456 }}", 1, 4, "15 digits"),
        ("{{ é }}", 1, 4, "'é' is out of place"),
    ],
)
def test_what_is_no_template_is_named_by_place(
    source: str, line: int, column: int, why: str
) -> None:
    with pytest.raises(TemplateBroken) as caught:
        read_template(source, place="text")
    error = caught.value
    assert why in error.why
    assert (error.place, error.line, error.column) == ("text", line, column)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("{{ x() }}", "called"),
        ("{{ x.y() }}", "called"),
        ("{{ x ~ y }}", "compute"),
        ("{{ x * 10 }}", "compute"),
        ("{{ x + 1 }}", "compute"),
        ("{{ {'a': 1} }}", "objects"),
        ("{{ [x] }}", "texts and numbers"),
        ("{{ x | map('upper') }}", "no filter 'map'"),
        ("{{ x is odd2 }}", "no test 'odd2'"),
        ("{{ x.__class__ }}", "not a field"),
        ("{{ x['__class__'] }}", "not a field"),
        ("{{ __builtins__ }}", "not a value"),
        ("{% set x = 1 %}", "{% set %} is not part of prompts"),
        ("{% macro x() %}", "{% macro %}"),
        ("{% include x %}", "a name in quotes"),
        ("{{ " + "(" * 40 + "x" + ")" * 40 + " }}", "nested deeper"),
        ("{% if x %}" * 40 + "{% endif %}" * 40, "nested deeper"),
        ("{{ x" + ".y" * 300 + " }}", "200 steps"),
        ("{{ " + "not " * 300 + "x }}", "200 steps"),
        ("{{ x" + " | upper" * 300 + " }}", "200 steps"),
        ("{{ x" + " and x" * 300 + " }}", "200 steps"),
        ("{% if x %}" + "{% elif x %}" * 300 + "{% endif %}", "200 branches"),
        ("{{ x }}" * 5001, "5000 places"),
        ("{##}" * 5001, "5000 places"),
    ],
)
def test_what_a_prompt_may_not_do_is_refused(source: str, why: str) -> None:
    with pytest.raises(TemplateRefused) as caught:
        read_template(source)
    assert why in caught.value.why
    assert caught.value.as_dict()["hint"]


def test_places_know_what_they_place() -> None:
    template = read_template(
        "a {{ x | trim }}{% for y in xs %} b {{ y.z | tojson }}{% include 'i' %}{% endfor %}"
    )
    told = [
        (one.does, one.text, sorted(one.sources), one.filters, sorted(one.bound), one.repeated)
        for one in template.pieces
    ]
    assert told == [
        (Does.TEXT, "a ", [], (), [], False),
        (Does.PLACE, "", ["x"], ("trim",), [], False),
        (Does.TEXT, " b ", [], (), [], True),
        (Does.PLACE, "", ["xs"], ("tojson",), [], True),
        (Does.INCLUDE, "i", [], (), ["loop", "y"], True),
    ]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("{{ a == 'x' }}{{ a in ['x'] }}{{ a < 1 }}", []),
        ("{{ a == b.c }}{{ 'x' in a }}{{ a.b[1:] }}", ["a|b|", "a||", "|a|"]),
        ("{% for x in a %}{{ x == b }}{% endfor %}", ["b|a|looped"]),
        ("{% for x in a if x in b[0] %}{% endfor %}", ["|ab|looped"]),
    ],
)
def test_costly_steps_are_found(source: str, found: list[str]) -> None:
    assert found == [
        f"{''.join(sorted(one.whole))}|{''.join(sorted(one.within))}|{'looped' * one.looped}"
        for one in read_template(source).comparisons
    ]


# -- the engine and we read the same thing --

ENGINE = Environment(
    undefined_behavior="strict",
    debug=False,
    pycompat=False,
    keep_trailing_newline=True,
)
TOKENS = [
    "{{", "}}", "{%", "%}", "{#", "#}", "-", "+", " ", "\n", "if", "elif", "else", "endif",
    "for", "endfor", "in", "not", "and", "or", "is", "x", "y", "a.b", "loop", "|", "upper",
    "join", "(", ")", "[", "]", ",", ":", "=", "==", "<", "'s'", '"t"', "1", "-1", "true",
    "none", "defined", "include", "raw", "endraw", "text", "{", "}", "~", "*", "set", "%",
    "{{ x }}", "{% if x %}", "{% endif %}", "{% for x in y %}", "{% endfor %}", "{% else %}",
    "{% raw %}", "{% endraw %}", "not in", "is not", "x|upper",
]  # fmt: skip
SOUP = st.tuples(
    st.sampled_from(["", " "]), st.lists(st.sampled_from(TOKENS), max_size=14)
).map(lambda drawn: drawn[0].join(drawn[1]))
EXPRESSIONS: st.SearchStrategy[str] = st.recursive(
    st.sampled_from(["x", "y", "a.b", "a[0]", "'s'", "1", "-2", "true", "[1,'a']", "a['k']"]),
    lambda one: st.one_of(
        st.tuples(
            one,
            st.sampled_from([" and ", " or ", " == ", " < ", " in ", " not in ", " != "]),
            one,
        ).map("".join),
        one.map(lambda e: f"({e})"),
        one.map(lambda e: f"not {e}"),
        one.map(lambda e: f"{e}|upper"),
        one.map(lambda e: f"{e} is defined"),
        one.map(lambda e: f"{e} is not none"),
        one.map(lambda e: f"{e}.f"),
        st.tuples(one, one).map(lambda es: f"{es[0]}|default({es[1]})"),
        st.tuples(one, one).map(lambda es: f"{es[0]}[{es[1]}]"),
        st.tuples(one, one, one).map(lambda es: f"{es[0]} if {es[1]} else {es[2]}"),
    ),
    max_leaves=6,
)
BODIES: st.SearchStrategy[str] = st.recursive(
    st.one_of(st.just("text\n"), EXPRESSIONS.map(lambda e: f"{{{{ {e} }}}}")),
    lambda body: st.one_of(
        st.tuples(body, body).map("".join),
        st.tuples(EXPRESSIONS, body, body).map(
            lambda p: f"{{% if {p[0]} %}}{p[1]}{{% else %}}{p[2]}{{% endif %}}"
        ),
        st.tuples(st.sampled_from(["x", "y", "x, y"]), EXPRESSIONS, body).map(
            lambda p: f"{{% for {p[0]} in {p[1]} %}}{p[2]}{{% endfor %}}"
        ),
        st.tuples(EXPRESSIONS, EXPRESSIONS, body, body).map(
            lambda p: f"{{% for x in {p[0]} if {p[1]} %}}{p[2]}{{% else %}}{p[3]}{{% endfor %}}"
        ),
    ),
    max_leaves=5,
)


@settings(max_examples=600, suppress_health_check=list(HealthCheck))
@given(source=st.one_of(SOUP, BODIES))
def test_what_we_let_through_the_engine_reads_alike(source: str) -> None:
    """The engine's own account of the variables is our oracle (it overlooks slices)."""
    try:
        template = read_template(source)
    except OpsroomError:
        return
    try:
        ENGINE.add_template("t", template.source)
    except TemplateError as error:
        pytest.fail(f"we let {source!r} through, and the engine says {error}")
    assert ENGINE.undeclared_variables_in_str(source) == set(template.names)
    assert template.source.count("\n") == source.count("\n")


@given(
    text=st.text(
        st.one_of(
            st.sampled_from("{}%#- \n'\"rawend"), st.characters(exclude_categories=["Cs"])
        )
    )
)
def test_any_text_can_be_placed(text: str) -> None:
    assert render(text_prompt(placing(text)), {}).text == text
