"""A configuration runs through the one engine of evaluations, and its results are stored like any."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.api import Api, Caller
from tests.model_server import Asked, ModelServer, Reply, say
from tests.promptfoo.test_reading import written

from opsroom.app import Settings
from opsroom.app.models import ConfiguredModels
from opsroom.importing.promptfoo import Wanted, bundled, read_suite, running
from opsroom.importing.promptfoo.running import (
    Case,
    Ran,
    all_good,
    as_data,
    junit_report,
    markdown_report,
    run_suite,
)

ECHOED = """
prompts: ['{{q}}']
providers: [echo]
tests:
  - description: greets
    vars: {q: hello World}
    assert:
      - {type: contains, value: World, metric: place}
      - {type: equals, value: 'hello {{ place }}', weight: 3}
  - vars: {q: '{"a": 1}'}
    assert: [{type: is-json}]
"""


def put(api: Api, path: Path, wanted: Wanted | None = None) -> list[Ran]:
    suite, files = read_suite(path, wanted)
    bundle, plans = bundled(suite, files)
    return run_suite(api.person("admin"), suite, bundle, plans)


def test_runs_are_stored_like_any_other(
    sqlite_api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "PAGE", 1)
    path = written(tmp_path, ECHOED)
    [ran] = put(sqlite_api, path, Wanted(name="greeting"))
    assert (ran.passed, ran.failed, ran.errors) == (1, 1, 0)
    who = sqlite_api.person("admin")
    kept = who.get(f"/v1/evals/runs/{ran.run['id']}")
    assert (kept["subject_name"], kept["dataset_name"]) == (
        "prompt/greeting@1",
        "dataset/greeting@1",
    )
    results = who.get(f"/v1/evals/runs/{ran.run['id']}/results")
    first = next(one for one in results if one["item_id"] == "test-1")
    assert first["scores"]["assertions"]["passed"] is False
    assert first["scores"]["assertions-score"]["value"] == 0.25
    assert first["scores"]["named.place"]["value"] == 1.0
    [again] = put(sqlite_api, path, Wanted(name="greeting"))
    assert again.run["id"] == ran.run["id"], "what was measured is not measured anew"


def test_a_run_may_take_longer_than_other_requests(sqlite_api: Api, tmp_path: Path) -> None:
    waited: list[tuple[str, float | None]] = []

    class Watched(Caller):
        def call(
            self, method: str, path: str, body: Any = None, *, timeout: float | None = 60.0
        ) -> Any:
            waited.append((path, timeout))
            return Caller.call(self, method, path, body)

    who = sqlite_api.person("admin")
    suite, files = read_suite(written(tmp_path, ECHOED))
    bundle, plans = bundled(suite, files)
    run_suite(Watched(who.client, who.name, who.headers), suite, bundle, plans)
    assert waited == [("/v1/evals/runs", None)]


def test_a_changed_file_is_the_whole_dataset(sqlite_api: Api, tmp_path: Path) -> None:
    put(sqlite_api, written(tmp_path, ECHOED), Wanted(name="greeting"))
    fewer = ECHOED.partition("  - vars: {q: '{")[0]
    [ran] = put(sqlite_api, written(tmp_path, fewer), Wanted(name="greeting"))
    assert [one.item for one in ran.cases] == ["test-1: greets"]
    assert ran.run["dataset_name"] == "dataset/greeting@2"
    [back] = put(sqlite_api, written(tmp_path, ECHOED), Wanted(name="greeting"))
    assert len(back.cases) == 2


def test_reports_say_what_failed_and_why(sqlite_api: Api, tmp_path: Path) -> None:
    suite, files = read_suite(written(tmp_path, ECHOED), Wanted(name="greeting"))
    bundle, plans = bundled(suite, files)
    ran = run_suite(sqlite_api.person("admin"), suite, bundle, plans)
    assert not all_good(ran)
    assert 'tests="2" failures="1"' in junit_report(ran, suite)
    summary = markdown_report(ran, suite)
    assert summary.startswith("### greeting: failed")
    assert "50.0% [1.3%, 98.7%]" in summary
    assert as_data(ran, suite)["runs"][0]["cases"][0]["item"] == "test-1: greets"


@pytest.mark.parametrize(
    ("passed", "said"),
    [
        ([3] * 8 + [0] * 2, "80.0% [44.4%, 97.5%]"),
        ([1] * 10, "33.3% [23.1%, 53.9%]"),
        ([2], "66.7% [1.7%, 99.2%]"),
    ],
)
def test_repeats_of_a_case_are_no_other_cases(
    tmp_path: Path, passed: list[int], said: str
) -> None:
    suite, files = read_suite(written(tmp_path, ECHOED))
    _, [plan] = bundled(suite, files)
    cases = tuple(
        Case(place, f"test-{place} #{trial}", trial < good, None, "")
        for place, good in enumerate(passed)
        for trial in range(3)
    )
    run = {"id": "run_1", "subject_name": "prompt/x@1", "state": "successful"}
    assert said in markdown_report([Ran(plan, run, cases)], suite)


@pytest.fixture
def asked() -> Iterator[ModelServer]:
    """A model that grades where it is asked to, and says hello otherwise."""

    def reply(one: Asked) -> Reply:
        if one.body["model"] == "grader":
            return say('{"pass": true, "score": 0.9, "reason": "kind enough"}')
        return say(f"Hello from {one.body['model']} at {one.body.get('temperature')}")

    with ModelServer(reply) as server:
        yield server


def test_models_are_asked_through_the_configured_endpoint(
    sqlite_api: Api, asked: ModelServer, tmp_path: Path
) -> None:
    settings = Settings(model_url=asked.url, allowed_hosts=(asked.url.split("/")[2],))
    sqlite_api.app.state.models = ConfiguredModels(settings)
    path = written(
        tmp_path,
        """
prompts:
  - '[{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi {{name}}"}]'
providers:
  - {id: openai:chat:small, config: {temperature: 0.5}}
  - openai:big
tests:
  - vars: {name: Ada}
    assert:
      - {type: contains, value: Hello from small at 0.5}
      - {type: llm-rubric, value: 'is kind to {{name}}'}
""",
    )
    small, big = put(
        sqlite_api, path, Wanted(name="kind", models={"openai:big": "large"}, grader="grader")
    )
    assert (small.passed, big.passed, big.failed) == (1, 0, 1)
    said = [one.body["messages"] for one in asked.requests if one.body["model"] == "small"]
    assert said == [
        [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi Ada"}]
    ]
    graded = [one for one in asked.requests if one.body["model"] == "grader"]
    assert len(graded) == 2, "once for each answer, though two metrics rest on it"
