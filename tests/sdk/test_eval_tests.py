"""Tests that are marked `opsroom_eval`: a case each, judged, kept as a run, and gated."""

import inspect
import json
import re
import shlex
import subprocess
import sys
import tomllib
from importlib import import_module, metadata
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml
from tests.installation import running
from tests.sdk.test_pages import PAGES, blocks

from opsroom import pytest_plugin
from opsroom.evals.cli import gate
from opsroom.sdk import Opsroom
from opsroom.testing import Room

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
ENTRY = metadata.entry_points(group="pytest11", name="opsroom")
PLUGIN = [] if ENTRY else ["-p", "opsroom.pytest_plugin"]
YES = {"type": "equals", "metric": "right"}
TEST = """
import pytest

@pytest.mark.opsroom_eval("{name}", {rest})
def test_it(opsroom_case):
    if opsroom_case.input == {broken!r}:
        raise LookupError("nothing <there>")
    opsroom_case.answer("yes" if opsroom_case.input not in {wrong!r} else "no|", cost="0.01")
"""


def store(client: Opsroom, name: str, cases: int = 4) -> None:
    """A prompt, its cases and what judges them, all of one name."""
    for kind in ("prompt", "evaluator"):
        client.post(f"/v1/artifacts/{kind}", {"name": name})
    client.post(f"/v1/artifacts/evaluator/{name}/versions", {"spec": YES})
    client.post(
        f"/v1/artifacts/prompt/{name}/versions", {"spec": {"format": "text", "text": "Yes?"}}
    )
    items = [
        {"id": f"c{n}", "input": f"q{n}", "expected": "yes", "split": "test"}
        for n in range(cases)
    ]
    body = {"items": items, "evaluators": [name]}
    client.post(f"/v1/datasets/{name}/versions", body)


def write(
    at: pytest.Pytester, name: str, *wrong: str, broken: str = "", rest: str = ""
) -> None:
    at.makepyfile(
        test_cases=TEST.format(name=name, wrong=list(wrong), broken=broken, rest=rest)
    )


def runs(client: Opsroom, name: str) -> list[dict[str, Any]]:
    found = client.get("/v1/evals/runs", limit=500)
    return [one for one in found if one["dataset_name"].startswith(f"dataset/{name}@")]


def results(client: Opsroom, run: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/v1/evals/runs/{run}/results", limit=500)
    return found


@pytest.fixture(autouse=True, scope="module")
def arithmetic() -> None:
    """What cannot be imported twice, as it would be by a pytest within this one."""
    import_module("scipy.special")


@pytest.fixture
def name(opened: Room, clerk: str) -> str:
    name = clerk.replace("clerk", "cases")
    store(opened.client, name)
    return name


def test_every_case_is_a_test_and_all_of_them_are_a_run(
    opened: Room, name: str, pytester: pytest.Pytester
) -> None:
    write(pytester, name, "q2", broken="q3", rest=f"subject='prompt/{name}@latest'")
    done = pytester.runpytest_inprocess(*PLUGIN, "--junitxml=junit.xml", "--opsroom-md=sum.md")
    done.assert_outcomes(passed=2, failed=2)
    assert done.ret == 1
    (run,) = runs(opened.client, name)
    assert (run["state"], run["subject_name"]) == ("successful", f"prompt/{name}@1")
    assert (run["totals"]["answered"], run["totals"]["errors"]) == (3, 1)
    kept = {one["item_id"]: one for one in results(opened.client, run["id"])}
    assert [kept[f"c{n}"]["scores"]["right"]["value"] for n in range(3)] == [1, 1, 0]
    assert kept["c3"]["error"] == "LookupError: nothing <there>"
    assert kept["c0"]["cost"] == "0.01"
    done.stdout.fnmatch_lines([f"*prompt/{name}@1 on dataset/{name}@1 ({run['id']}): 4 cases"])
    done.stdout.fnmatch_lines(["*right: 66.7% [[]9.4%, 99.2%[]] of 3, 1 missing"])
    assert run["id"] in Path("junit.xml").read_text()
    assert r"| c3 | LookupError\: nothing \<there\> |" in Path("sum.md").read_text()


@pytest.mark.slow
def test_the_gate_decides_how_pytest_ends(
    opened: Room, name: str, pytester: pytest.Pytester
) -> None:
    write(pytester, name)
    assert pytester.runpytest_inprocess(*PLUGIN).ret == 0
    asked = [f"--opsroom-gate=prompt/{name}@latest", "--opsroom-min-samples=4"]
    files = ["--opsroom-junit=gate.xml", "--opsroom-md=gate.md"]
    thin = pytester.runpytest_inprocess(*PLUGIN, asked[0])
    assert thin.ret == 3
    thin.stdout.fnmatch_lines(["*gate inconclusive: right: 4 pairs are fewer than*"])
    same = pytester.runpytest_inprocess(*PLUGIN, *asked, "--opsroom-strict")
    assert same.ret == 0
    same.stdout.fnmatch_lines(["*gate passed:*"])
    write(pytester, name, "q0", "q1", "q2", "q3")
    worse = pytester.runpytest_inprocess(
        *PLUGIN, "--opsroom-gate=@latest", asked[1], "--opsroom-strict", *files
    )
    worse.assert_outcomes(xfailed=4)
    assert worse.ret == 3
    assert "### Gate: failed" in Path("gate.md").read_text()
    verdict = ET.parse("gate.xml").getroot()
    assert [one.get("failures") for one in verdict] == ["1"]


def test_what_is_not_whole_is_not_gated(
    opened: Room, name: str, pytester: pytest.Pytester
) -> None:
    write(pytester, name)
    asked = f"--opsroom-gate=prompt/{name}@latest"
    some = pytester.runpytest_inprocess(*PLUGIN, asked, "-k", "c0 or c1")
    assert some.ret == 3
    some.stdout.fnmatch_lines(["*inconclusive*cannot be gated: 2 of 4 answers were brought"])
    (run,) = runs(opened.client, name)
    assert run["state"] == "inconclusive"
    pytester.makepyfile(test_cases="def test_nothing():\n    pass\n")
    none = pytester.runpytest_inprocess(*PLUGIN, asked)
    assert none.ret == 3
    none.stdout.fnmatch_lines(["*no case of a dataset was answered*"])


def test_a_coroutine_is_run_and_trials_are_cases_of_their_own(
    opened: Room, name: str, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(
        test_cases=f"""
        import asyncio, json, pytest

        @pytest.mark.opsroom_eval("{name}@1", trials=2, evaluators=["{name}@1"])
        async def test_it(opsroom_case):
            await asyncio.sleep(0)
            assert opsroom_case.subject == "prompt/{name}@1"
            call = {{"id": "c", "function": {{"name": "f", "arguments": '{{"a": 1}}'}}}}
            judged = opsroom_case.answer("yes", tool_calls=[call])
            assert judged.scores == {{"right": 1.0}}
        """
    )
    pytester.runpytest_inprocess(*PLUGIN).assert_outcomes(passed=8)
    (run,) = runs(opened.client, name)
    assert (run["trials"], run["totals"]["answered"]) == (2, 8)


def test_answers_of_another_test_are_not_taken_for_its_own(
    opened: Room, name: str, pytester: pytest.Pytester
) -> None:
    """Of a case the first answer counts, so a second test would be told how the first one did."""
    pytester.makepyfile(f"""
        import pytest

        @pytest.mark.opsroom_eval({name!r})
        def test_good(opsroom_case):
            opsroom_case.answer("yes")

        @pytest.mark.opsroom_eval({f"{name}@1"!r})
        @pytest.mark.parametrize("model", ["old", "new"])
        def test_bad(opsroom_case, model):
            opsroom_case.answer("no")
    """)
    done = pytester.runpytest_inprocess(*PLUGIN)
    done.assert_outcomes(passed=4, failed=8)
    done.stdout.fnmatch_lines(["*'c0' is answered by *::test_good[[]c0[]]*"])
    alone = pytester.runpytest_inprocess(*PLUGIN, "-k", "test_bad and old")
    alone.assert_outcomes(failed=4)
    alone.stdout.fnmatch_lines(["*right: *'no' against 'yes'*"])


def test_looking_at_tests_opens_no_run(
    opened: Room, name: str, pytester: pytest.Pytester
) -> None:
    write(pytester, name)
    seen = pytester.runpytest_inprocess(*PLUGIN, "--collect-only", "-q")
    seen.stdout.fnmatch_lines(["test_cases.py::test_it[[]c3[]]"])
    assert runs(opened.client, name) == []


def test_a_file_is_judged_here(pytester: pytest.Pytester) -> None:
    Path("cases.jsonl").write_text(
        "".join(json.dumps({"input": f"q{n}", "expected": "yes"}) + "\n" for n in range(3))
    )
    Path("right.yaml").write_text("type: equals\nmetric: right\n")
    write(pytester, "cases.jsonl", "q1", rest="evaluators=['right.yaml', {'type': 'is-json'}]")
    done = pytester.runpytest_inprocess(*PLUGIN, "--opsroom-offline")
    done.assert_outcomes(failed=3)
    done.stdout.fnmatch_lines(["*line-2: right: *; is-json: *"])
    write(pytester, "cases.jsonl", "q1", rest="evaluators=['right.yaml']")
    done = pytester.runpytest_inprocess(*PLUGIN)
    done.assert_outcomes(passed=2, failed=1)
    done.stdout.fnmatch_lines(["*cases.jsonl: 3 cases", "*right: 66.7% [[]9.4%, 99.2%[]] of 3"])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("@eval('cases.jsonl')\ndef test(): ...", "*takes 'opsroom_case'*"),
        ("@eval('cases.jsonl')\ndef test(opsroom_case): ...", "*nothing says how to judge*"),
        ("@eval('a', b=1)\ndef test(opsroom_case): ...", "*unexpected keyword argument 'b'*"),
        (
            "@eval('nowhere')\ndef test(opsroom_case): ...",
            "*there is no dataset 'nowhere'*list what there is*",
        ),
    ],
)
def test_what_cannot_be_collected_says_why(
    pytester: pytest.Pytester, body: str, said: str
) -> None:
    Path("cases.jsonl").write_text('{"input": "q"}\n')
    pytester.makepyfile(test_cases=f"import pytest\neval = pytest.mark.opsroom_eval\n{body}\n")
    done = pytester.runpytest_inprocess(*PLUGIN)
    assert done.ret == 2
    done.stdout.fnmatch_lines([said])


def test_without_a_server_what_needs_one_can_be_left_out(pytester: pytest.Pytester) -> None:
    write(pytester, "nowhere")
    done = pytester.runpytest_inprocess(*PLUGIN, "--opsroom-offline", "-rs")
    done.assert_outcomes(skipped=1)
    done.stdout.fnmatch_lines(["*nowhere is on a server; --opsroom-offline"])


def test_a_test_without_an_answer_fails(pytester: pytest.Pytester) -> None:
    Path("cases.csv").write_text("input,expected\nq,yes\n")
    pytester.makepyfile(
        test_cases="""
        import pytest

        @pytest.mark.opsroom_eval("cases.csv", evaluators=[{"type": "equals"}])
        def test_it(opsroom_case):
            assert opsroom_case.subject == ""
        """
    )
    done = pytester.runpytest_inprocess(*PLUGIN)
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["*the test gave no answer*"])


def test_who_does_not_use_it_does_not_pay_for_it() -> None:
    asked = (
        "import sys, pytest; before = set(sys.modules); import opsroom.pytest_plugin;"
        "print(sorted(set(sys.modules) - before))"
    )
    said = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "['opsroom', 'opsroom.pytest_plugin']"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    declared = project["project"]["entry-points"]["pytest11"]
    assert declared == {"opsroom": "opsroom.pytest_plugin"}


def test_the_page_runs(opened: Room, pytester: pytest.Pytester) -> None:
    store(opened.client, "triage")
    for name, code in blocks("pytest.md"):
        Path(name).write_text(code)
    Path("desk.py").write_text("def triage(said):\n    return 'yes'\n")
    Path("cases.jsonl").write_text('{"input": "q", "expected": "yes"}\n')
    pytester.syspathinsert()
    pytester.runpytest_inprocess(*PLUGIN).assert_outcomes(passed=5)


def test_pipelines_say_what_the_commands_know() -> None:
    page = (PAGES / "gate-in-ci.md").read_text(encoding="utf-8")
    files = [
        yaml.safe_load(one) for one in re.findall(r"```yaml \S+\n(.*?)```", page, re.DOTALL)
    ]
    github, gitlab = files
    steps = [one.get("run", "") for one in github["jobs"]["gate"]["steps"]]
    commands = [shlex.split(one) for one in (*steps, *gitlab["gate"]["script"]) if one]
    gates = [one[3:] for one in commands if one[:3] == ["opsroom", "eval", "gate"]]
    tests = [one[1:] for one in commands if one[0] == "pytest"]
    assert (len(gates), len(tests)) == (2, 2)
    for one in gates:
        assert gate.make_context("gate", list(one)).params["base"]
    options = re.findall(r'add\("(--[a-z-]+)"', inspect.getsource(pytest_plugin))
    known = {*options, "--junitxml"}
    for test in tests:
        assert {word.split("=")[0] for word in test if word.startswith("--")} <= known


@pytest.mark.slow
def test_two_processes_fill_one_run_and_a_killed_one_leaves_it_open(
    home: Path, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With pytest-xdist and a real server: no case is lost or counted twice."""
    with running(home) as server, Opsroom(data_dir=home) as client:
        store(client, "desk", cases=60)
        token = (home / "token").read_text().strip()
        monkeypatch.setenv("OPSROOM_URL", server.url)
        monkeypatch.setenv("OPSROOM_TOKEN", token)
        write(pytester, "desk", "q7", "q8", rest="subject='prompt/desk@1'")
        many = [*PLUGIN, "-p", "no:cacheprovider", "-n", "2"]
        done = pytester.runpytest_subprocess(*many, "--junitxml=junit.xml")
        done.assert_outcomes(passed=58, failed=2)
        (run,) = runs(client, "desk")
        assert run["state"] == "successful"
        assert run["totals"]["answered"] == 60
        kept = results(client, run["id"])
        assert sorted(one["item_id"] for one in kept) == sorted(f"c{n}" for n in range(60))
        wrong = [one["item_id"] for one in kept if not one["scores"]["right"]["passed"]]
        assert sorted(wrong) == ["c7", "c8"]
        done.stdout.fnmatch_lines([f"*({run['id']}): 60 cases", "*right: 96.7%*of 60"])
        suite = ET.parse("junit.xml").getroot()
        named = [one.get("value") for one in suite.iter("property")]
        assert named.count(run["id"]) == 60

        better = TEST.format(name="desk", wrong=[], broken="", rest="")
        pytester.makepyfile(test_cases=better)
        asked = ["--opsroom-gate=prompt/desk@1", "--opsroom-min-samples=60"]
        assert pytester.runpytest_subprocess(*many, *asked).ret == 0

        lost = better.replace("raise LookupError", "os._exit(9) #").replace("== ''", "== 'q5'")
        pytester.makepyfile(test_cases=f"import os\n{lost}")
        done = pytester.runpytest_subprocess(*many, *asked)
        assert done.ret == 1
        done.stdout.fnmatch_lines(["*cannot be gated: 59 of 60 answers were brought"])
    nobody = pytester.runpytest_subprocess(*PLUGIN)
    assert nobody.ret == 2
    nobody.stdout.fnmatch_lines(["*no opsroom answers at*start it with `opsroom up`*"])
