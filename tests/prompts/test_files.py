"""Prompt files: what is written reads back, and what is wrong is named by line and column."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsroom.kit.errors import OpsroomError
from opsroom.kit.wire import plain
from opsroom.kit.yamlfile import YamlTooLarge, YamlWrong
from opsroom.prompts.errors import PromptFilesDiffer, PromptTooLarge
from opsroom.prompts.files import (
    PromptFile,
    parse_prompt,
    read_folder,
    read_prompt,
    read_prompts,
    write_folder,
    write_prompt,
)
from opsroom.prompts.model import (
    Format,
    Message,
    Parameters,
    PromptSpec,
    Role,
    Syntax,
    Trust,
    Variable,
    VariableType,
)
from opsroom.registry import Criticality

FILE = """\
kind: prompt
name: mail-desk
purpose: sorts what comes in
owner: desk
criticality: assistive
tags:
- mail
format: chat
messages:
- role: system
  content: |
    You sort mail.

    - Answer in one word.
- role: user
  content: <mail>{{ mail }}</mail>
variables:
  mail:
    type: text
    max_length: 5000
includes:
  tone: house-tone@3
model:
  name: gpt-4o
  temperature: 0.0
"""


def test_a_file_is_written_as_people_write_it() -> None:
    prompt = parse_prompt(FILE)
    assert prompt.name == "mail-desk"
    assert prompt.criticality is Criticality.ASSISTIVE
    assert prompt.spec.messages[0].content == "You sort mail.\n\n- Answer in one word.\n"
    assert write_prompt(prompt) == FILE


def test_little_has_to_be_said() -> None:
    prompt = parse_prompt(
        "kind: prompt\nname: hello\ntext: Hello {{ name }}\nvariables: {name: {}}"
    )
    assert prompt.spec.format is Format.TEXT
    assert prompt.owner is None
    assert (
        parse_prompt(
            "{kind: prompt, name: a, messages: [{role: user, content: x}]}"
        ).spec.format
        == "chat"
    )


NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,6}", fullmatch=True).filter(
    lambda name: name not in {"and", "else", "elif", "false", "for", "if", "in", "is", "loop",
                              "none", "not", "or", "recursive", "self", "super", "true"}
)  # fmt: skip
ODD = " \n\t#:-|>'\"[]&*!%@`,?~=<\r\x85\u2028\ufeffé😀\x00"
TEXTS = st.text(
    st.one_of(st.sampled_from(ODD), st.characters(exclude_categories=["Cs"])), max_size=30
)
PLAIN_TEXTS = TEXTS.map(lambda text: text.replace("{", "(")) | st.just("Hello {{ name }}!\n")
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-1e9, 1e9) | TEXTS,
    lambda one: st.lists(one, max_size=2) | st.dictionaries(TEXTS, one, max_size=2),
    max_leaves=5,
)  # fmt: skip
OF_TYPE: dict[VariableType, st.SearchStrategy[Any]] = {
    VariableType.TEXT: TEXTS,
    VariableType.NUMBER: st.integers(-1000, 1000) | st.floats(-1e9, 1e9),
    VariableType.BOOLEAN: st.booleans(),
    VariableType.LIST: st.lists(JSON, max_size=2),
    VariableType.OBJECT: st.dictionaries(TEXTS, JSON, max_size=2),
}
VARIABLES = st.sampled_from(VariableType).flatmap(
    lambda kind: st.builds(
        Variable,
        type=st.just(kind),
        required=st.booleans(),
        default=st.none() | OF_TYPE[kind],
        description=TEXTS,
        max_length=st.none() | st.integers(30, 99),
        trust=st.sampled_from(Trust),
    )
)
NUMBERS = st.none() | st.floats(0, 1)
MODELS = st.builds(
    Parameters,
    name=st.none() | TEXTS,
    temperature=NUMBERS,
    top_p=NUMBERS,
    max_tokens=st.none() | st.integers(1, 9999),
    stop=st.lists(TEXTS.filter(bool), max_size=2).map(tuple),
    seed=st.none() | st.integers(-99, 99),
    extra=st.dictionaries(TEXTS, JSON, max_size=2),
)
REST: dict[str, st.SearchStrategy[Any]] = {
    "model": MODELS,
    "output_schema": st.none()
    | st.just({})
    | st.dictionaries(TEXTS.filter(lambda t: t[:1] != "$"), JSON, max_size=2),
}
TEMPLATES: dict[str, st.SearchStrategy[Any]] = {
    "variables": st.dictionaries(NAMES, VARIABLES, max_size=2),
    "includes": st.dictionaries(
        NAMES, st.sampled_from(["a", "a@3", "prompt/b-c@staging"]), max_size=2
    ),
    **REST,
}
MESSAGES = st.lists(
    st.builds(Message, role=st.sampled_from(Role), content=PLAIN_TEXTS), min_size=1, max_size=3
).map(tuple)
SPECS = st.one_of(
    st.builds(PromptSpec, format=st.just(Format.TEXT), text=PLAIN_TEXTS, **TEMPLATES),
    st.builds(PromptSpec, format=st.just(Format.CHAT), messages=MESSAGES, **TEMPLATES),
    st.builds(
        PromptSpec,
        format=st.just(Format.TEXT),
        syntax=st.just(Syntax.LITERAL),
        text=TEXTS,
        **REST,
    ),
)
FILES = st.builds(
    PromptFile,
    name=st.from_regex(r"[a-z0-9][a-z0-9._-]{0,10}", fullmatch=True),
    purpose=st.none() | TEXTS.filter(bool),
    owner=st.none() | TEXTS.filter(bool),
    criticality=st.none() | st.sampled_from(Criticality),
    tags=st.none() | st.lists(TEXTS, min_size=1, max_size=2).map(tuple),
    spec=SPECS,
)  # fmt: skip


@settings(max_examples=150)
@given(prompt=FILES)
def test_what_is_written_reads_back(prompt: PromptFile) -> None:
    text = write_prompt(prompt)
    assert parse_prompt(text) == prompt
    assert write_prompt(parse_prompt(text)) == text


@pytest.mark.parametrize(
    ("change", "line", "column", "why"),
    [
        (("kind: prompt", "kind: pormpt"), 1, 7, "unknown kind 'pormpt'"),
        (("kind: prompt", "# no kind"), 2, 1, "unknown kind 'None'"),
        (("name: mail-desk\n", ""), 1, 1, "name"),
        (("name: mail-desk", "name: Mail Desk"), 2, 7, "'Mail Desk' cannot be a name"),
        (("purpose:", "purpsoe:"), 3, 10, "there is no field 'purpsoe'"),
        (("criticality: assistive", "criticality: high"), 5, 14, "criticality"),
        (("format: chat", "format: caht"), 8, 9, "format"),
        (("role: system", "role: sytsem"), 10, 9, "messages.0.role"),
        (("  content: <mail>", "  contents: <mail>"), 15, 3, "messages.1.content"),
        (("{{ mail }}", "{{ mail"), 16, 12, "column 15: a prompt cannot compute with '/'"),
        (("{{ mail }}", "{{ mail() }}"), 16, 12, "nothing can be called"),
        (("type: text", "type: txet"), 19, 11, "variables.mail.type"),
        (("max_length: 5000", "max_lenght: 5000"), 20, 17, "variables.mail.max_lenght"),
        (("  mail:\n", "  loop:\n"), 19, 5, "variables.loop"),
        (("house-tone@3", "../../etc/passwd"), 22, 9, "includes.tone"),
        (("temperature: 0.0", "temperature: hot"), 25, 16, "model.temperature"),
        (("temperature: 0.0", "temperature: 9"), 25, 16, "model.temperature"),
        (("temperature: 0.0", "temperature: 0\n  temperature: 1"), 26, 3, "twice"),
        (("name: mail-desk", "name: mail-desk\n bad: x"), 3, 5, "mapping values"),
        (("tags:\n- mail", "tags: mail"), 6, 7, "tags"),
        (("tags:\n- mail", "tags: !!python/name:os.system"), 6, 7, "tags like"),
    ],
)
def test_a_wrong_place_is_named(
    change: tuple[str, str], line: int, column: int, why: str
) -> None:
    assert change[0] in FILE
    with pytest.raises(YamlWrong) as caught:
        parse_prompt(FILE.replace(*change, 1), file="mail.yaml")
    error = caught.value
    assert why in error.why
    assert (error.file, error.line, error.column) == ("mail.yaml", line, column)
    assert error.as_dict()["hint"]


def test_a_near_miss_is_named() -> None:
    with pytest.raises(YamlWrong) as caught:
        parse_prompt(FILE.replace("variables:", "varaibles:"))
    assert caught.value.fix == "did you mean 'variables'?"


@pytest.mark.parametrize("text", ["- a\n- b", "just words", "12", "null"])
def test_other_documents_are_no_prompts(text: str) -> None:
    with pytest.raises(YamlWrong, match="fields with names"):
        parse_prompt(text)


def test_too_large_a_prompt_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    path.write_text("kind: prompt\nname: a\ntext: " + "x" * 10_000_000)
    with pytest.raises(YamlTooLarge):
        read_prompt(path)
    path.write_text("kind: prompt\nname: a\ntext: " + "x" * 300_000)
    with pytest.raises(PromptTooLarge):
        read_prompt(path)


# -- folders --


def test_a_folder_holds_prompts_and_other_things(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "mail.yaml").write_text(FILE)
    (tmp_path / "sub" / "hello.yml").write_text("kind: prompt\nname: hello\ntext: Hello")
    (tmp_path / "ci.yaml").write_text("jobs: {test: {}}")
    (tmp_path / "notes.txt").write_text("kind: nothing")
    assert [one.name for one in read_prompts(tmp_path).values()] == ["mail-desk", "hello"]
    sent = read_folder(tmp_path)
    assert sent[1] == {
        "name": "hello",
        "spec": plain(read_prompt(tmp_path / "sub" / "hello.yml").spec),
    }
    assert read_folder(tmp_path / "mail.yaml")[0]["owner"] == "desk"


def test_one_wrong_file_stops_all(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(FILE)
    (tmp_path / "b.yaml").write_text("kind: polcy\nname: b")
    with pytest.raises(YamlWrong, match="unknown kind 'polcy'"):
        read_folder(tmp_path)


def test_two_files_for_one_prompt_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(FILE)
    (tmp_path / "b.yaml").write_text(FILE.replace("one word", "two words"))
    with pytest.raises(PromptFilesDiffer) as caught:
        read_folder(tmp_path)
    assert (caught.value.file, caught.value.other) == ("b.yaml", "a.yaml")


def stored(text: str, **about: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    prompt = parse_prompt(text)
    artifact = {"id": "art_1", "kind": "prompt", "created_by": "ada", **plain(prompt), **about}
    artifact |= {"owner": artifact["owner"] or "ada", "purpose": artifact["purpose"] or ""}
    artifact |= {
        "criticality": artifact["criticality"] or "assistive",
        "tags": artifact["tags"] or [],
    }
    return artifact, {"number": 3, "spec": artifact.pop("spec")}


def test_what_is_pulled_reads_back(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "prompts"
    hello = "kind: prompt\nname: hello\ntext: Hello"
    assert write_folder(folder, [stored(FILE), stored(hello)]) == [
        "mail-desk.yaml",
        "hello.yaml",
    ]
    assert (folder / "mail-desk.yaml").read_text() == FILE
    assert write_folder(folder, [stored(FILE), stored(hello)]) == []


def test_a_pull_keeps_files_in_their_place(tmp_path: Path) -> None:
    place = tmp_path / "team" / "sorting.yml"
    place.parent.mkdir()
    remarked = "# ours\n" + FILE.replace("owner: desk\n", "")
    place.write_text(remarked)
    (tmp_path / "ci.yaml").write_text("jobs: {}")
    assert write_folder(tmp_path, [stored(FILE)]) == []
    assert place.read_text() == remarked
    changed = FILE.replace("one word", "two words")
    assert write_folder(tmp_path, [stored(changed)]) == ["team/sorting.yml"]
    assert place.read_text() == changed
    assert (tmp_path / "ci.yaml").read_text() == "jobs: {}"


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/b", ".hidden/../x"])
def test_a_server_cannot_write_elsewhere(tmp_path: Path, name: str) -> None:
    with pytest.raises(OpsroomError):
        write_folder(tmp_path / "in", [stored(FILE, name=name)])
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["in"]


def test_a_pull_does_not_write_through_links(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "mail-desk.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    with pytest.raises(OpsroomError):
        write_folder(folder, [stored(FILE)])
    assert not (tmp_path / "elsewhere.yaml").exists()
