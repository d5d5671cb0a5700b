"""Exports of other tools: what of them comes in, as what, and what is left out and why.

The files are made here, in the shapes that the docstrings of the readers cite.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langfuse.model import TemplateParser
from tests.api import Api
from tests.installation import Shell

from opsroom.importing import BadImport, Bundle
from opsroom.importing.readers import FORMATS, read
from opsroom.importing.readers.braces import NotOurs, of_langfuse, of_mlflow, template
from opsroom.kit.errors import OpsroomError
from opsroom.kit.files import LineWrong
from opsroom.kit.wire import plain
from opsroom.prompts.model import Variable, text_prompt
from opsroom.prompts.rendering import render

EXPORTS = ("langfuse", "mlflow", "phoenix", "langsmith", "openai-evals", "inspect")


def as_json(folder: Path, value: Any, name: str = "export.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(value))
    return path


def as_lines(folder: Path, *values: Any, name: str = "export.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(value) + "\n" for value in values))
    return path


def left_out(bundle: Bundle) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in bundle.left_out:
        found[f"{one.what}: {one.why}"] = one.count
    return found


def a_prompt(number: int, prompt: Any, **rest: Any) -> dict[str, Any]:
    return {
        "id": f"p{number}", "name": "support/refund", "version": number, "prompt": prompt,
        "type": "text" if isinstance(prompt, str) else "chat",
        "config": {"model": "gpt-9", "temperature": 0.1, "tier": "flex"},
        "labels": [], "tags": [], "commitMessage": None, **rest,
    }  # fmt: skip


def test_prompts_of_langfuse(tmp_path: Path) -> None:
    chat = [
        {"type": "chatmessage", "role": "system", "content": 'Answer {"as": {"json": 1}}.'},
        {"role": "user", "content": "{{ question }}"},
    ]
    path = as_json(
        tmp_path,
        {
            "data": [
                a_prompt(2, chat, labels=["production", "Blue", "latest"], commitMessage="x"),
                a_prompt(1, "Refund {{order}}?"),
                a_prompt(3, [{"type": "placeholder", "name": "history"}]),
                a_prompt(4, "@@@langfusePrompt:name=tone|label=production@@@"),
                a_prompt(5, "Hello {{ user name }}"),
                {"name": "support/refund", "versions": [1, 2], "labels": [], "tags": []},
            ],
            "meta": {"page": 1},
        },
    )
    bundle = read("langfuse", path)
    first, second = (one.draft for one in bundle.versions)
    assert {one.name for one in bundle.versions} == {"support-refund"}
    assert first.spec["text"] == "Refund {{ order }}?"
    assert first.spec["variables"] == {"order": {"type": "text"}}
    assert first.spec["model"] == {
        "name": "gpt-9",
        "temperature": 0.1,
        "extra": {"tier": "flex"},
    }
    assert (second.labels, second.message) == (("blue",), "x")
    assert [one["role"] for one in second.spec["messages"]] == ["system", "user"]
    said = left_out(bundle)
    assert sum(said.values()) == 5
    assert any("placeholder" in one or "whole messages" in one for one in said)
    assert any("'user name'" in one for one in said)


def test_items_of_langfuse(tmp_path: Path) -> None:
    item = {
        "datasetName": "FAQ",
        "input": {"q": "why?"},
        "expectedOutput": "so",
        "status": "ACTIVE",
    }
    path = as_lines(
        tmp_path,
        {**item, "id": "a", "metadata": {"k": 1}, "sourceTraceId": "t1"},
        {**item, "id": "b"},
        {**item, "id": "c", "status": "ARCHIVED"},
        {**item, "id": "d", "input": None},
    )  # fmt: skip
    bundle = read("langfuse", path)
    (dataset,) = bundle.datasets
    (one,) = dataset.items
    assert (dataset.name, one.id, one.expected) == ("faq", "a", "so")
    assert one.metadata == {"k": 1, "source_trace": "t1"}
    assert sum(left_out(bundle).values()) == 3


def test_prompts_of_mlflow_from_its_interface(tmp_path: Path) -> None:
    def version(number: int, text: str, kind: str = "text") -> dict[str, Any]:
        tags = [
            {"key": "mlflow.prompt.is_prompt", "value": "true"},
            {"key": "mlflow.prompt.text", "value": text},
            {"key": "_mlflow_prompt_type", "value": kind},
            {
                "key": "_mlflow_prompt_model_config",
                "value": '{"model_name": "m", "max_tokens": 9}',
            },
        ]
        return {"name": "Greeting", "version": str(number), "tags": tags, "aliases": ["champion"],
                "description": f"number {number}"}  # fmt: skip

    chat = json.dumps([{"role": "user", "content": "Hi {{who}}"}])
    model = {"name": "forest", "version": "1", "tags": []}
    path = as_json(
        tmp_path,
        {
            "model_versions": [
                version(2, chat, "chat"),
                version(1, "Hi {{ who }}"),
                version(3, "{% if a %}x{% endif %}", "jinja2"),
                model,
            ]
        },
    )
    bundle = read("mlflow", path)
    first, second = (one.draft for one in bundle.versions)
    assert (first.spec["text"], first.message) == ("Hi {{ who }}", "number 1")
    assert first.spec["model"] == {"name": "m", "max_tokens": 9}
    assert second.spec["messages"] == [{"role": "user", "content": "Hi {{ who }}"}]
    assert second.labels == ("champion",)
    assert set(left_out(bundle)) == {
        "version: a model, and no prompt",
        "version: Greeting version 3: it is a Jinja2 template with logic; bring it over by hand",
    }


def test_prompts_of_mlflow_with_the_fields_of_its_class(tmp_path: Path) -> None:
    one = {
        "name": "greeting",
        "version": 1,
        "template": "Hi {{who}}",
        "commit_message": "first",
    }
    bundle = read("mlflow", as_lines(tmp_path, one))
    assert bundle.versions[0].draft.message == "first"


@pytest.mark.parametrize("form", ["csv", "examples", "fine-tuning", "evals"])
def test_datasets_of_phoenix(tmp_path: Path, form: str) -> None:
    user = {"role": "user", "content": "why?"}
    said = {"role": "assistant", "content": "so"}
    if form == "csv":
        path = tmp_path / "faq.csv"
        path.write_text("example_id,input_q,output_a,metadata_k\nRX1,why?,so,1\nRX2,when?,,\n")
    elif form == "examples":
        example = {
            "id": "RX1",
            "input": {"q": "why?"},
            "output": {"a": "so"},
            "metadata": {"k": "1"},
        }
        path = as_json(
            tmp_path, {"data": {"dataset_id": "d", "examples": [example]}}, "faq.json"
        )
    elif form == "fine-tuning":
        path = as_lines(tmp_path, {"messages": [user, said]}, name="faq.jsonl")
    else:
        path = as_lines(tmp_path, {"messages": [user], "ideal": "so"}, name="faq.jsonl")
    (dataset,) = read("phoenix", path).datasets
    first = dataset.items[0]
    if form in {"csv", "examples"}:
        assert (first.id, first.input, first.expected) == ("RX1", {"q": "why?"}, {"a": "so"})
        assert first.metadata == {"k": "1"}
    else:
        assert first.input == {"messages": [user]}
        assert first.expected == ("so" if form == "evals" else {"messages": [said]})
    assert dataset.name == "faq"


@pytest.mark.parametrize("form", ["json", "csv", "columns"])
def test_datasets_of_langsmith(tmp_path: Path, form: str) -> None:
    if form == "json":
        example = {"id": "e1", "inputs": {"q": "why?"}, "outputs": {"a": "so"},
                   "metadata": {"dataset_split": ["train"]}}  # fmt: skip
        path = as_json(tmp_path, [example], "FAQ.json")
    elif form == "csv":
        path = tmp_path / "FAQ.csv"
        path.write_text(
            'id,inputs,outputs,split\ne1,"{""q"": ""why?""}","{""a"": ""so""}",train\n'
        )
    else:
        path = tmp_path / "FAQ.csv"
        path.write_text("id,input_q,output_a,split\ne1,why?,so,train\n")
    (dataset,) = read("langsmith", path).datasets
    (one,) = dataset.items
    assert (dataset.name, one.id, one.split) == ("faq", "e1", "train")
    assert (one.input, one.expected) == ({"q": "why?"}, {"a": "so"})


def test_samples_of_openai_evals(tmp_path: Path) -> None:
    folder = tmp_path / "Capitals"
    folder.mkdir()
    asked = [{"role": "user", "content": "Capital of France?"}]
    path = as_lines(
        folder,
        {"input": asked, "ideal": ["Paris", "paris"], "level": 1},
        {"input": "2+2=", "ideal": "4"},
        {"input": "Tell a joke"},
        name="samples.jsonl",
    )
    bundle = read("openai-evals", path)
    (dataset,) = bundle.datasets
    first, second, third = dataset.items
    assert dataset.name == "capitals"
    assert (first.input, first.expected) == ({"messages": asked}, ["Paris", "paris"])
    assert (first.metadata, second.input, third.expected) == (
        {"level": 1},
        {"input": "2+2="},
        None,
    )
    assert sum(left_out(bundle).values()) == 1


def test_two_names_that_would_be_one_are_refused(tmp_path: Path) -> None:
    path = as_json(tmp_path, [a_prompt(1, "x"), a_prompt(1, "y", name="support-refund")])
    with pytest.raises(BadImport, match="would both be 'support-refund'"):
        read("langfuse", path)


@pytest.mark.parametrize("format_", [one for one in EXPORTS if one != "inspect"])
@pytest.mark.parametrize(
    "text",
    ["[1]", "[[[", '{"a": NaN}', '{"a": 1, "a": 2}', "[" * 100 + "]" * 100, '{"name": "\\ud800"}',
     '{"name": ' + "9" * 5000 + "}", '{"name": 1, "version": [], "prompt": 3}', '{"unknown": 1}',
     '{"name": "x", "version": "x", "prompt": "x", "template": "x"}', '"text"', "", "\0"],
)  # fmt: skip
def test_broken_files_are_refused_by_name(tmp_path: Path, format_: str, text: str) -> None:
    path = tmp_path / ("export.jsonl" if format_ == "openai-evals" else "export.json")
    path.write_text(text)
    if text == "" and format_ == "openai-evals":  # JSON lines may be none at all
        assert read(format_, path).datasets == ()
        return
    with pytest.raises(OpsroomError) as caught:
        read(format_, path)
    assert path.name in str(caught.value)
    assert caught.value.hint


def test_a_wrong_place_in_a_long_value_is_named(tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    path.write_text('[\n  {"name": "x"},\n  {"name": }\n]')
    with pytest.raises(LineWrong, match="line 3, column 12"):
        read("langfuse", path)


BRACES = st.text(alphabet="{}%# ab\n-", max_size=14)


@settings(max_examples=50)
@given(text=BRACES, a=BRACES)
def test_a_text_of_langfuse_comes_out_the_same_here(text: str, a: str) -> None:
    try:
        made, names = template(text, of_langfuse)
    except NotOurs:
        return
    values = dict.fromkeys(names, a)
    spec = text_prompt(made, variables=dict.fromkeys(names, Variable()))
    assert str(render(spec, values)) == TemplateParser.compile_template(text, values)


@settings(max_examples=50)
@given(text=BRACES)
def test_a_text_of_mlflow_is_read_or_refused(text: str) -> None:
    try:
        made, names = template(text, of_mlflow)
    except NotOurs:
        return
    assert (not names) or "{{ " in made


def test_an_import_is_stored_once_and_says_what_it_left_out(
    sqlite_api: Api, tmp_path: Path
) -> None:
    author = sqlite_api.program("author", "admin")
    path = as_json(
        tmp_path, [a_prompt(1, "Refund {{ order }}?", labels=["production", "blue"])]
    )
    body = plain(read("langfuse", path))
    first, again = author.post("/v1/imports", body), author.post("/v1/imports", body)
    assert first["new"] == {"prompt": 1, "version": 1, "recording": 0}
    assert not any(again["new"].values())
    assert first["left_out"][0]["what"] == "label"
    agent = sqlite_api.program("agent")
    shown = agent.get("/api/public/v2/prompts/support%2Frefund?label=blue")
    assert (shown["prompt"], shown["config"]["model"]) == ("Refund {{order}}?", "gpt-9")


def test_labels_that_are_reviewed_here_do_not_keep_the_rest_out(
    sqlite_api: Api, tmp_path: Path
) -> None:
    admin = sqlite_api.program("admin")
    admin.put("/v1/environments/staging", {"position": 50, "reviewed": True})
    path = as_json(tmp_path, [a_prompt(1, "Refund it.", labels=["staging", "blue"])])
    done = admin.post("/v1/imports", plain(read("langfuse", path)))
    assert done["left_out"] == [
        {"what": "label", "count": 1, "why": "staging moves by a proposal here"}
    ]
    labels = admin.get("/v1/artifacts/prompt/support-refund")["labels"]
    assert [one["label"] for one in labels] == ["blue"]


def test_the_terminal_says_what_was_left_out(shell: Shell, tmp_path: Path) -> None:
    item = {"id": "a", "datasetName": "faq", "input": "why?", "expectedOutput": "so"}
    path = as_lines(tmp_path, item, {**item, "id": "b"})
    assert shell("import", "langfuse", path, "--dry-run") == 0
    assert "left out 1 item: the same input and expected output stand there twice" in shell.out
    assert shell("import", "langfuse", path) == 0
    assert "imported" in shell.out
    assert "left out 1 item" in shell.out


def test_every_format_is_listed_where_people_look(shell: Shell) -> None:
    assert shell("import", "--help") == 0
    assert all(one in shell.out for one in FORMATS)
