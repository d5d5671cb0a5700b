"""From a configuration file to a suite, or to the whole list of what is missing."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opsroom.datasets import Item, distinct
from opsroom.kit.canonical import digest
from opsroom.kit.files import FileUnreadable
from opsroom.kit.texts import as_name

from .asked import label_of, prompts_of, providers_of
from .cases import Test, named_well, refuse_what_is_not_done, settings, tests_of
from .expectations import Expectations, asks_for, threshold
from .source import Source
from .suite import MAX_CASES, NotRunnable, Prompt, Provider, Suite
from .templates import alike, names_in, rendered

MAX_NAME = 60
_TOP = {
    "extensions": "they are code, and code is not run",
    "nunjucksFilters": "they are code, and code is not run",
}
_UNSEEN = {
    "derivedMetrics": "`derivedMetrics` are not computed; they decide nothing",
    "tracing": "`tracing` takes no effect: traces come in over OTLP",
    "sharing": "`sharing` takes no effect",
    "outputPath": "`outputPath` takes no effect: see --junit and --md",
}
_TOOLS = frozenset(
    {"is-valid-openai-tools-call", "is-valid-openai-function-call", "is-valid-function-call"}
)
_NOTHING = "nothing"  # a prompt without variables is rendered all the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How a configuration is to be read.

    `env` are the variables of the environment that it may see. `models` say which configured
    model stands for a provider (`*`: for all of them); `grader` who decides rubrics.
    """

    name: str = ""
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    models: Mapping[str, str] = field(default_factory=dict[str, str])
    grader: str = ""


def read_suite(path: Path, wanted: Wanted | None = None) -> tuple[Suite, tuple[Path, ...]]:
    """The suite in a file and the files it was read from.

    Raises `NotRunnable` with everything that is missing, and what is wrong with the file
    itself: `YamlWrong`, `YamlTooLarge` and the errors of `kit.files`.
    """
    try:
        return _read(path, wanted or Wanted())
    except RecursionError:
        why = "its files name each other in a circle"
        raise FileUnreadable(path.name, why) from None


def _read(path: Path, wanted: Wanted) -> tuple[Suite, tuple[Path, ...]]:
    source = Source(path, wanted.env)
    document = source.document()
    for name, why in _TOP.items():
        if document.get(name):
            source.missing.add(f"`{name}`", why)
    if document.get("redteam") and not (document.get("tests") or document.get("scenarios")):
        source.missing.add("`redteam`", "attacks are not generated from a configuration")
    prompts = prompts_of(source, document)
    providers = providers_of(source, document, wanted.models)
    expectations = Expectations(source)
    cases = list(_cases(source, document, expectations))
    if wanted.grader:
        expectations.graders = {wanted.grader: None}
    grader = _grader(source, expectations, wanted.models)
    if source.missing:
        raise NotRunnable(path.name, source.missing.listed())
    rows, types = alike(case.values for case in cases)
    prompts = [_with_variables(one, types) for one in prompts]
    items, repeated = distinct(
        Item(
            id=f"test-{number:0{len(str(len(cases)))}}",
            input=row,
            expected=case.expected,
            metadata={"description": case.description} if case.description else {},
        )
        for number, (row, case) in enumerate(zip(rows, cases, strict=True), 1)
    )
    answers = {
        item.hash: case.answer
        for item, case in ((item, cases[int(item.id[5:]) - 1]) for item in items)
        if case.answer is not None
    }
    if answers and len(answers) < len(items):
        raise NotRunnable(
            path.name, ["`providerOutput`: some tests have one and others do not"]
        )
    suite = Suite(
        name=wanted.name or _name(path),
        description=str(document.get("description") or ""),
        prompts=tuple(prompts),
        providers=tuple(providers),
        items=tuple(items),
        answers=answers,
        named=tuple(expectations.named),
        grader=grader,
        repeat=_repeat(document),
        notes=_notes(document, len(repeated), providers, cases),
    )
    return suite, (path, *source.texts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    values: dict[str, Any]
    expected: dict[str, Any]
    description: str = ""
    answer: str | None = None


def _cases(
    source: Source, document: Mapping[str, Any], expectations: Expectations
) -> Iterator[_Case]:
    count = 0
    for number, test in enumerate(tests_of(source, document), 1):
        where = f"test {number}"
        refuse_what_is_not_done(source, test)
        expectations.grader((test.get("options") or {}).get("provider"), where)
        answer = _answer(test)
        for values in settings(source, test, where):
            count += 1
            if count > MAX_CASES:
                source.missing.add("tests", f"there are more than {MAX_CASES} cases")
                return
            expected: dict[str, Any] = {
                "assert": expectations.of(test["assert"], values, where)
            }
            if (limit := threshold(test.get("threshold"))) is not None:
                expected["threshold"] = limit
            if answer is not None:
                # Two tests that differ in their answer alone are two cases.
                expected["answer"] = digest(answer)[:16]
            yield _Case(
                values=named_well(values),
                expected=expected,
                description=rendered(
                    str(test.get("description") or ""), values, where, source.missing
                ),
                answer=answer,
            )


def _answer(test: Test) -> str | None:
    given = test.get("providerOutput")
    if given is None or isinstance(given, str):
        return given
    return json.dumps(given, ensure_ascii=False, separators=(",", ":"))


def _grader(source: Source, expectations: Expectations, models: Mapping[str, str]) -> str:
    """The one model that decides what needs a model, or an empty text where nothing does."""
    if not expectations.asks:
        return ""
    if not expectations.graders:
        source.missing.add("a grader", "rubrics are decided by a model; name one by --grader")
    elif len(expectations.graders) > 1:
        many = ", ".join(expectations.graders)
        source.missing.add("a grader", f"the file names several ({many}); choose by --grader")
    else:
        [name] = expectations.graders
        return models.get(name) or models.get("*") or name.rpartition(":")[2]
    return ""


def _with_variables(prompt: Prompt, types: Mapping[str, Any]) -> Prompt:
    """The prompt with every variable that the tests or its templates name."""
    texts = (
        [prompt.spec["text"]]
        if "text" in prompt.spec
        else [one["content"] for one in prompt.spec["messages"]]
    )
    names = {name for text in texts for name in names_in(text)} | set(types) or {_NOTHING}
    variables = {
        name: {"type": types[name].value if name in types else "text", "required": False}
        for name in sorted(names)
    }
    return Prompt(label=label_of(prompt), spec={**prompt.spec, "variables": variables})


def _name(path: Path) -> str:
    """`promptfooconfig.yaml` is called as its folder is, any other file as itself."""
    stem = path.name.partition(".")[0]
    chosen = path.resolve().parent.name if stem == "promptfooconfig" else stem
    return as_name(chosen)[:MAX_NAME].strip("-._") or "promptfoo"


def _repeat(document: Mapping[str, Any]) -> int:
    for place in ("evaluateOptions", "commandLineOptions"):
        options = document.get(place)
        given = options.get("repeat") if isinstance(options, dict) else None
        if isinstance(given, int) and not isinstance(given, bool) and given > 0:
            return min(given, 100)
    return 1


def _notes(
    document: Mapping[str, Any],
    repeated: int,
    providers: list[Provider],
    cases: list[_Case],
) -> tuple[str, ...]:
    found = [said for name, said in _UNSEEN.items() if document.get(name)]
    if document.get("redteam"):
        found.append("`redteam` takes no effect; the tests of the file are run")
    if repeated:
        found.append(f"{repeated} tests repeat others word for word and are run once")
    needs_tools = any(asks_for(case.expected["assert"], _TOOLS) for case in cases)
    if needs_tools and not any(one.tools or one.functions for one in providers):
        found.append("tool calls are checked, and no provider has tools: such assertions fail")
    return tuple(found)
