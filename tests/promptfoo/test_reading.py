"""Configurations are read as they are: as data, from their own folder, and all of what is missing is said."""

from pathlib import Path
from typing import Any

import pytest

from opsroom.importing.promptfoo import NotRunnable, Suite, Wanted, bundled, read_suite
from opsroom.importing.readers import read
from opsroom.kit.errors import OpsroomError
from opsroom.models import Output


def written(folder: Path, text: str, **files: str) -> Path:
    """A configuration and the files beside it; `a__csv` is called a.csv."""
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(content)
    path = folder / "promptfooconfig.yaml"
    path.write_text(text)
    return path


def suite_of(folder: Path, text: str, wanted: Wanted | None = None, **files: str) -> Suite:
    return read_suite(written(folder, text, **files), wanted)[0]


def missing_of(
    folder: Path, text: str, wanted: Wanted | None = None, **files: str
) -> list[str]:
    with pytest.raises(NotRunnable) as refused:
        read_suite(written(folder, text, **files), wanted)
    return refused.value.missing


def expected(suite: Suite) -> list[Any]:
    return [one.expected for one in suite.items]


def inputs(suite: Suite) -> list[Any]:
    return [one.input for one in suite.items]


HEAD = "prompts: ['{{q}}']\nproviders: [echo]\n"


def test_defaults_come_first_and_values_are_put_in_place(tmp_path: Path) -> None:
    suite = suite_of(
        tmp_path,
        HEAD
        + """
defaultTest:
  vars: {who: Ada, q: none}
  threshold: 0.5
  assert:
    - {type: icontains, value: '{{who}}', weight: 2}
tests:
  - vars: {q: Hello}
    assert:
      - {type: contains-any, value: ['{{q}}', x]}
  - vars: {q: Bye}
    threshold: 1
    options: {disableDefaultAsserts: true}
""",
    )
    first = {"type": "icontains", "value": "Ada", "weight": 2}
    assert expected(suite) == [
        {
            "assert": [first, {"type": "contains-any", "value": ["Hello", "x"]}],
            "threshold": 0.5,
        },
        {"assert": [], "threshold": 1.0},
    ]
    assert inputs(suite) == [{"who": "Ada", "q": "Hello"}, {"who": "Ada", "q": "Bye"}]


def test_lists_of_texts_are_several_cases_and_scenarios_are_products(tmp_path: Path) -> None:
    suite = suite_of(
        tmp_path,
        HEAD
        + """
tests:
  - vars: {q: [a, b], n: [1, 2]}
scenarios:
  - config:
      - {vars: {q: c}, assert: [{type: equals, value: c}]}
      - {vars: {q: d}}
    tests:
      - {vars: {n: [3]}, assert: [{type: contains, value: '{{q}}'}]}
""",
    )
    assert [one["q"] for one in inputs(suite)] == ["a", "b", "c", "d"]
    assert expected(suite)[2]["assert"] == [
        {"type": "equals", "value": "c"},
        {"type": "contains", "value": "c"},
    ]


def test_tables_say_what_is_expected(tmp_path: Path) -> None:
    suite = suite_of(
        tmp_path,
        HEAD + "tests: file://cases.csv\n",
        cases__csv="q,__expected1,__expected2,__description,__threshold,__metric\n"
        'Hi,"contains-any: a, ""b, c""",levenshtein(3): Hi,greets,0.5,tone\n'
        "Ho,Ho,not-contains: x,,,\n"
        "He,is-json,,,,\n",
    )
    assert expected(suite) == [
        {
            "assert": [
                {"type": "contains-any", "value": ["a", "b, c"], "metric": "tone"},
                {"type": "levenshtein", "value": "Hi", "threshold": 3.0, "metric": "tone"},
            ],
            "threshold": 0.5,
        },
        {"assert": [{"type": "equals", "value": "Ho"}, {"type": "not-contains", "value": "x"}]},
        {"assert": [{"type": "is-json"}]},
    ]
    assert suite.items[0].metadata == {"description": "greets"}
    assert suite.named == ("tone",)


def test_references_anchors_and_files_are_followed(tmp_path: Path) -> None:
    suite = suite_of(
        tmp_path,
        """
prompts: file://prompt.txt
providers: [openai:chat:gpt-x]
x: &polite {type: icontains, value: please}
assertionTemplates:
  short: {type: word-count, value: {max: 5}}
tests:
  - vars: {q: file://question.md}
    assert:
      - *polite
      - $ref: '#/assertionTemplates/short'
      - {type: is-json, value: file://schema.json}
""",
        prompt__txt="Answer {{q}}\n---\nSay {{q}}\n",
        question__md="What now?\n",
        schema__json='{"type": "object"}',
    )
    assert [one.spec["text"] for one in suite.prompts] == ["Answer {{q}}", "Say {{q}}"]
    assert inputs(suite) == [{"q": "What now?"}]
    assert expected(suite)[0]["assert"] == [
        {"type": "icontains", "value": "please"},
        {"type": "word-count", "value": {"max": 5}},
        {"type": "is-json", "value": {"type": "object"}},
    ]


def test_providers_become_versions_and_keys_stay_behind(tmp_path: Path) -> None:
    suite = suite_of(
        tmp_path,
        """
prompts: [{raw: 'One {{q}}', label: one}, {raw: 'Two {{q}}', label: two}]
providers:
  - id: openai:gpt-x
    config: {temperature: 0.2, apiKey: sk-secret, max_completion_tokens: 9, apiHost: evil.example}
    prompts: [one]
  - anthropic:messages:claude-x
tests: [{vars: {q: x}}]
""",
    )
    bundle, plans = bundled(suite, ())
    assert [(one.prompt, one.source) for one in plans] == [
        ("one", "gpt-x"),
        ("one", "claude-x"),
        ("two", "claude-x"),
    ]
    first = bundle.versions[0].draft.spec
    assert first["model"] == {
        "name": "gpt-x",
        "temperature": 0.2,
        "extra": {"max_completion_tokens": 9},
    }
    assert "sk-secret" not in repr(bundle)
    assert "evil.example" not in repr(bundle)


def test_known_answers_are_recorded(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "prompts: ['Say {{q}}']\nproviders: [openai:gpt-x]\n"
        "tests: [{vars: {q: x}, providerOutput: 'it is x'}]\n",
    )
    bundle = read("promptfoo", path)
    assert [one.output for one in bundle.recordings] == [Output(text="it is x")]
    echoed = read(
        "promptfoo",
        written(tmp_path, "prompts: ['Say {{q}}']\nproviders: echo\ntests: [{vars: {q: x}}]"),
    )
    assert [one.output for one in echoed.recordings] == [Output(text="Say x")]


def test_the_environment_is_seen_only_where_it_is_allowed(tmp_path: Path) -> None:
    text = "prompts: ['{{env.TONE}} {{q}}']\nproviders: [echo]\ntests: [{vars: {q: x}}]\n"
    assert missing_of(tmp_path, text) == [
        "environment variable TONE: it is not passed on; allow it by --env TONE"
    ]
    suite = suite_of(tmp_path, text, Wanted(env={"TONE": "kind"}))
    assert suite.prompts[0].spec["text"] == "kind {{q}}"
    files = {
        "p__txt": "{{env.TONE}} {{q}}",
        "t__csv": "q,__expected\n{{env.TONE}},contains: x\n",
        "u__jsonl": '{"vars": {"q": "so {{env.TONE}}"}}\n',
    }
    filed = """
prompts: [file://p.txt]
providers: [echo]
tests: [file://t.csv, file://u.jsonl]
"""
    assert len(missing_of(tmp_path, filed, None, **files)) == 1
    suite = suite_of(tmp_path, filed, Wanted(env={"TONE": '"so", so'}), **files)
    assert suite.prompts[0].spec["text"] == '"so", so {{q}}'
    assert [one["q"] for one in inputs(suite)] == ['"so", so', 'so "so", so']
    own = suite_of(tmp_path, f"env: {{TONE: own}}\n{text}")
    assert own.prompts[0].spec["text"] == "own {{q}}"


def test_everything_that_is_missing_is_said_at_once(tmp_path: Path) -> None:
    found = missing_of(
        tmp_path,
        """
prompts: [file://prompt.py, '{% set x = 1 %}{{x}}', langfuse://mine]
providers: [file://provider.js, 'exec: rm -rf', openai:image:x, https://evil.example, mcp]
extensions: [file://hook.js:run]
defaultTest: {options: {transform: output.trim(), factuality: {superset: 0}}}
tests:
  - file://tests.py
  - huggingface://datasets/x
  - vars: {q: file://../secret.txt}
    assert:
      - {type: javascript, value: 'process.exit()'}
      - {type: python, value: file://check.py}
      - {type: contains, value: file://value.js:get}
      - {type: similar, value: x}
      - {type: regex, value: '(?=a)b'}
      - {type: not-regex, value: '(?i)secret'}
      - {type: sensible}
      - {type: llm-rubric, value: polite}
      - {type: contains, value: x, transform: JSON.parse(output)}
""",
    )
    for piece in (
        "'file://prompt.py' is code",
        "{% set %}",
        "kept by a service outside",
        "provider file://provider.js: code and addresses",
        "provider exec: rm -rf: code and addresses",
        "openai:image:x: it is no chat model",
        "https://evil.example: code and addresses",
        "`extensions`: they are code",
        "`transform`: it is code",
        "`factuality`: what each finding is worth",
        "'file://tests.py' is code",
        "is outside, and nothing is fetched",
        "'../secret.txt' cannot name a file here",
        "assertion javascript: it runs code",
        "assertion python: it runs code",
        "'file://value.js:get' is code",
        "assertion similar: it needs a model for embeddings",
        "pattern '(?=a)b'",
        "pattern '(?i)secret': flags inside a pattern, as (?i), are not read",
        "assertion sensible: promptfoo has no assertion of this type",
        "a grader: rubrics are decided by a model; name one by --grader",
        "`transform` of an assertion: it is code",
    ):
        assert any(piece in one for one in found), piece


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../outside.txt", "link.txt", "a\\b", "*/../../x*"]
)
def test_no_file_outside_the_folder_is_read(tmp_path: Path, name: str) -> None:
    home = tmp_path / "suite"
    home.mkdir()
    (tmp_path / "outside.txt").write_text("a secret")
    (home / "link.txt").symlink_to(tmp_path / "outside.txt")
    found = missing_of(home, HEAD + f"tests: [{{vars: {{q: 'file://{name}'}}}}]\n")
    assert len(found) == 1
    assert "a secret" not in found[0]


BOMB = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
)
REFERENCES = "\n".join(
    ["x0: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    + [
        f"x{n}: [{', '.join(['{$ref: /}'.replace('/', f'{chr(34)}#/x{n - 1}{chr(34)}')] * 10)}]"
        for n in range(1, 9)
    ]
)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (BOMB, "yaml_wrong"),
        (REFERENCES, "file_unreadable"),
        ("x: {$ref: '#/x'}\n", "file_unreadable"),
        ("x: !!python/object/apply:os.system [id]\n", "yaml_wrong"),
        ("x: " + "[" * 500 + "]" * 500, "yaml_wrong"),
        ("prompts: [a\n", "yaml_wrong"),
        ("a: 1\na: 2\n", "yaml_wrong"),
        ("x: " + "y" * (5 * 1024 * 1024), "file_too_large"),
        ("[]", "promptfoo_not_runnable"),
        (HEAD + f"tests: [{{vars: {{a: {list('abcdefghij') * 4}, b: {list('abcdefghij') * 60}}}}}]", "promptfoo_not_runnable"),
    ],
)  # fmt: skip
def test_a_hostile_configuration_is_refused(tmp_path: Path, text: str, code: str) -> None:
    with pytest.raises(OpsroomError) as refused:
        read_suite(written(tmp_path, text))
    assert refused.value.code == code


def test_files_that_name_each_other_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OpsroomError, match="in a circle"):
        suite_of(tmp_path, HEAD + "tests: file://a.yaml\n", a__yaml="[file://a.yaml]")
    doubled = {
        f"t{n}__yaml": f"[file://t{n + 1}.yaml, file://t{n + 1}.yaml]" for n in range(20)
    }
    found = missing_of(
        tmp_path,
        HEAD + "tests: file://t0.yaml\n",
        None,
        **doubled,
        t20__yaml="[{vars: {q: x}}]",
    )
    assert found == ["tests: there are more than 20000"]


def test_text_of_a_test_is_never_run_as_a_template_of_ours(tmp_path: Path) -> None:
    found = missing_of(tmp_path, HEAD + "tests: [{vars: {q: '{{ 7 * 7 }}'}}]\n")
    assert "its template cannot be rendered" in found[0]
