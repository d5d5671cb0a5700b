"""YAML that people write: JSON data, with the place of everything, and nothing more."""

import gzip
import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from opsroom.kit.errors import OpsroomError
from opsroom.kit.yamlfile import YamlTooLarge, YamlWrong, parse_yaml, read_yaml
from opsroom.kit.yamlwriting import write_yaml

LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("a: no\nb: on\nc: y", {"a": "no", "b": "on", "c": "y"}),
        ("a: 2026-11-20\nb: 1:30\nc: 1_000", {"a": "2026-11-20", "b": "1:30", "c": "1_000"}),
        ("[~, null, true, False, '', ]", [None, None, True, False, ""]),
        ("[1, -2, 0o17, 0x1F, 012, 1.5, 1e3, .5]", [1, -2, 15, 31, 12, 1.5, 1000.0, 0.5]),
        ("['1', \"true\", '~', !  x]", ["1", "true", "~", "x"]),
        ("a: |\n  one\n   two\nb: >-\n  x\n  y", {"a": "one\n two\n", "b": "x y"}),
        ("a: &x {k: 1}\nb: *x\nc: [*x]", {"a": {"k": 1}, "b": {"k": 1}, "c": [{"k": 1}]}),
        ("'<<': 1", {"<<": 1}),
        ("# only a remark\n---\na:\n...\n", {"a": None}),
    ],
)
def test_it_means_what_yaml_1_2_says(text: str, data: object) -> None:
    found = parse_yaml(text).data
    assert found == data
    assert json.dumps(found) == json.dumps(data)


@pytest.mark.parametrize(
    ("text", "line", "column", "why"),
    [
        ("a: 1\nb: [1, 2", 3, 1, "flow sequence"),
        ("a: 1\n b: 2", 2, 3, "mapping values"),
        ("a: 1\nc: 2\na: 3", 3, 1, "'a' stands here twice"),
        ("x:\n  - a: 1\n    a: 2", 3, 5, "twice"),
        ("a: !!python/object/apply:os.system [id]", 1, 4, "tags"),
        ("a: !include secrets.yaml", 1, 4, "tags"),
        ("a: !!binary aGk=", 1, 4, "tags"),
        ("a: &a [*a]", 1, 8, "nothing complete"),
        ("a: *b", 1, 4, "nothing complete"),
        ("a: &x {b: 1}\nc:\n  <<: *x", 3, 3, "merge"),
        ("1: a", 1, 1, "a key is text"),
        ("[a]: b", 1, 1, "a key is text"),
        ("? {a: b}\n: c", 1, 3, "a key is text"),
        ("---\na: 1\n---\nb: 2", 3, 1, "second document"),
        ("", 1, 1, "empty"),
        ("# nothing\n", 1, 1, "empty"),
        ("a: .nan", 1, 4, "not a number"),
        ("a: -.inf", 1, 4, "not a number"),
        ("a: 1e999", 1, 4, "not a number"),
        ("a: b\n\tc: d", 2, 1, ""),
        ("é: ok\nb: \x07", 2, 4, "U+0007"),
        ("a: \ud800", 1, 4, "U+D800"),
        ('a: "\\ud800"', 1, 7, "Unicode"),
        ("a: 'open\nb: 2", 2, 5, "quoted scalar"),
        (LAUGHS, 5, None, "50000 values"),
        ("[" * 500_000, 1, 101, "deeper than 100"),
        ("- " * 500_000, 1, 201, "deeper than 100"),
        ("{a: " * 250_000, 1, None, "deeper than 100"),
        ("[" + "1, " * 300_000 + "]", 1, None, "50000 values"),
        ("a: &" + "b" * 1000 + " 1\nc: *" + "x" * 1000, 2, 4, "nothing complete"),
    ],
)
def test_a_wrong_place_is_named(text: str, line: int, column: int | None, why: str) -> None:
    begun = time.process_time()
    with pytest.raises(YamlWrong) as caught:
        parse_yaml(text, file="p.yaml")
    error = caught.value
    assert time.process_time() - begun < 1
    assert why in error.why
    assert error.line == line
    assert column is None or error.column == column
    assert str(error).startswith(f"p.yaml:{line}:")
    assert error.as_dict()["hint"]
    assert len(str(error)) < 300


def test_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("a: " + "x" * (10 << 20))
    with pytest.raises(YamlTooLarge):
        read_yaml(path)
    with pytest.raises(YamlTooLarge):
        parse_yaml("[" * (2 << 20))
    path.write_bytes(gzip.compress(b"a: " + b"x" * (10 << 20)))
    with pytest.raises(OpsroomError) as caught:
        read_yaml(path)
    assert caught.value.status == 413


def test_values_know_where_they_are() -> None:
    document = parse_yaml("a:\n  b:\n    - x\n    - c: 1\n", file="p.yaml")
    assert document.places["a", "b", 1, "c"] == (4, 10)
    assert str(document.wrong(("a", "b", 1, "c"), "no")) == "p.yaml:4:10: no"
    assert str(document.wrong(("a", "b", 7, "z"), "no")) == "p.yaml:3:5: no"
    assert str(document.wrong(("z",), "no")) == "p.yaml:1:1: no"


SPECIAL = " \n\t#:-|>'\"{}[]a1\r\x85\u2028\u2029\ufeff\x00é😀&*!%@`,?~=<"
TEXTS = st.text(
    st.one_of(st.sampled_from(SPECIAL), st.characters(exclude_categories=["Cs"])), max_size=40
) | st.sampled_from(
    [
        "yes",
        "no",
        "on",
        "0o17",
        "0x1F",
        "1e3",
        ".5",
        "1.",
        ".inf",
        "~",
        "null",
        "2026-11-20",
        "1:30",
        "<<",
        "=",
        "0b1",
        "1_000",
        "---",
        "...",
        "true",
    ]
)
DATA: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(data=st.dictionaries(TEXTS, DATA, max_size=4))
@example(data={"a": "\x85"})
@example(data={"a": "  x\n \n\ty \n"})
@example(data={"a": "\n"})
@example(data={"a": ["\t\n"]})
def test_what_is_written_reads_back(data: dict[str, Any]) -> None:
    text = write_yaml(data)
    assert parse_yaml(text).data == data
    assert write_yaml(data) == text
    assert list(parse_yaml(text).data) == list(data)


def test_long_texts_look_like_themselves() -> None:
    text = "You sort mail.\n\n- be brief \n- {{ question }}\n"
    assert write_yaml({"a": text, "b": "one line", "c": "no"}) == (
        "a: |\n  You sort mail.\n\n  - be brief \n  - {{ question }}\nb: one line\nc: 'no'\n"
    )


def test_configurations_of_other_tools_are_read(data_dir: Path) -> None:
    """239 real files of another tool, all of which hold nothing but data."""
    with gzip.open(data_dir / "eval_configs" / "promptfoo_configs.jsonl.gz", "rt") as lines:
        for line in lines:
            one = json.loads(line)
            assert parse_yaml(one["text"], file=one["path"]).data is not None
