"""What came of the cases of a test session: its runs, their rates, and the gate's verdict."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from opsroom.kit.errors import OpsroomError

from .client import Opsroom
from .errors import RemoteError

MOST = 20  # wrong cases that are named one by one
UNITS = {"latency": " s", "cost": " USD"}
GATE_FAILED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Gating:
    """What the gate is asked at the end, and where its verdict goes as JUnit."""

    baseline: str
    ask: dict[str, Any]
    proposal: str = ""
    junit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What came of one case; `wrong` says why, where it is not well."""

    case: str
    on: str
    scores: Mapping[str, float]
    wrong: str = ""


@dataclass
class Part:
    """The cases of one run, or of one file; and what was said of them in the end."""

    title: str
    cases: list[Heard] = field(default_factory=list[Heard])
    metrics: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    found: dict[str, Any] | None = None
    trouble: str = ""


class Summary:
    """Collects cases while tests run, and closes the books when they have."""

    def __init__(self, client: Opsroom) -> None:
        self._client = client
        self._parts: dict[tuple[str, str], Part] = {}

    def add(self, run: str, one: Heard) -> None:
        key = (run, "" if run else one.on)
        self._parts.setdefault(key, Part(title=one.on)).cases.append(one)

    def close(self, gating: Gating | None) -> tuple[list[str], int]:
        """End every run and gate it; the lines to print, and the exit status (0: all is well)."""
        runs = [(run, part) for (run, _), part in self._parts.items() if run]
        status = 0
        for run, part in runs:
            try:
                self._end(run, part)
                if gating is not None:
                    self._gate(run, part, gating)
                    status = status or _status(part.found)
            except (OpsroomError, RemoteError) as error:
                part.trouble = str(error)
                status = status or error.exit_code
        for (run, _), part in self._parts.items():
            if not run:
                part.metrics = _rates(part.cases)
        if gating is not None and gating.junit:
            Path(gating.junit).write_text(self._junit(), encoding="utf-8")
        lines = [line for part in self._parts.values() for line in _lines(part)]
        if gating is not None and not runs:
            lines.append("gate: no case of a dataset was answered, so nothing is decided")
            status = GATE_FAILED
        return lines, status

    def markdown(self) -> str:
        return "".join(_markdown(part) for part in self._parts.values())

    def _junit(self) -> str:
        """The verdicts as suites. A run without one is a failure, and says why."""
        reports, kit = (
            import_module("opsroom.evals.reports"),
            import_module("opsroom.kit.junit"),
        )
        suites = [
            reports.junit_report(part.found)
            if part.found
            else kit.junit(
                part.title, [kit.Check(group="gate", name="outcome", failure=part.trouble)]
            )
            for (run, _), part in self._parts.items()
            if run
        ]
        bodies = (one.partition("\n")[2] for one in suites)  # without their declarations
        return f"<testsuites>\n{''.join(bodies)}</testsuites>\n"

    def _end(self, run: str, part: Part) -> None:
        ended = self._client.call("POST", f"/v1/evals/runs/{run}/end", timeout=None)
        about = ended["run"]
        part.title = f"{about['subject_name']} on {about['dataset_name']} ({run})"
        part.metrics = ended["metrics"]
        if about["state"] != "successful":
            part.trouble = f"{about['state']}: {about['reason'] or 'no case has an answer'}"

    def _gate(self, run: str, part: Part, gating: Gating) -> None:
        baseline = gating.baseline
        if baseline.startswith("@"):  # a label of whatever is tested
            subject = part.title.partition(" on ")[0]
            baseline = subject.rpartition("@")[0] + baseline
        body = {"baseline": baseline, "ask": gating.ask, "proposal": gating.proposal}
        path = f"/v1/evals/runs/{run}/gate"
        part.found = self._client.call("POST", path, body, timeout=None)


def _status(found: dict[str, Any] | None) -> int:
    passed = found is not None and found["verdict"]["outcome"] == "passed"
    return 0 if passed else GATE_FAILED


def _lines(part: Part) -> list[str]:
    lines = [f"{part.title}: {len(part.cases)} cases"]
    lines += [f"  {_rate(one)}" for one in part.metrics]
    if part.trouble:
        lines.append(f"  {part.trouble}")
    if part.found:
        verdict = part.found["verdict"]
        lines.append(f"  gate {verdict['outcome']}: {verdict['reasons'][0]}")
        lines += [
            f"    {one['metric']} ({one['role']}): {one['verdict'].replace('_', ' ')}"
            for one in verdict["metrics"]
        ]
        lines.append(f"    kept as {part.found['digest'][:16]}")
    return lines


def _rate(one: Mapping[str, Any]) -> str:
    if one["mean"] is None:
        return f"{one['metric']}: not measured"
    missing = f", {one['missing']} missing" if one["missing"] else ""
    interval = one["interval"]
    if interval is None:
        unit = UNITS.get(one["metric"], "")
        return f"{one['metric']}: {one['mean']:.3g}{unit} on average of {one['n']}{missing}"
    low, high = interval["low"], interval["high"]
    return f"{one['metric']}: {one['mean']:.1%} [{low:.1%}, {high:.1%}] of {one['n']}{missing}"


def _markdown(part: Part) -> str:
    lines = [f"### {part.title}", "", *(f"- {_rate(one)}" for one in part.metrics), ""]
    if part.trouble:
        lines += [f"**{part.trouble}**", ""]
    wrong = [one for one in part.cases if one.wrong]
    if wrong:
        lines += ["| case | what is wrong |", "|---|---|"]
        lines += [f"| {_cell(one.case)} | {_cell(one.wrong)} |" for one in wrong[:MOST]]
        if len(wrong) > MOST:
            lines.append(f"| | and {len(wrong) - MOST} more |")
        lines.append("")
    if part.found:
        lines.append(import_module("opsroom.evals.reports").markdown_report(part.found))
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """Text that people or models wrote, as one cell that cannot become anything else."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split())[:200])


def _rates(cases: list[Heard]) -> list[dict[str, Any]]:
    """What the metrics of a file came to; those of yes and no with their exact 95 % interval."""
    rates = import_module("opsroom.evidence.rates")
    evidence = import_module("opsroom.evidence")
    found: list[dict[str, Any]] = []
    for metric in dict.fromkeys(name for one in cases for name in one.scores):
        values = [one.scores[metric] for one in cases if metric in one.scores]
        n, total = len(values), sum(values)
        interval = None
        if set(values) <= {0.0, 1.0}:
            exact = rates.clopper_pearson(evidence.Tally(n=n, hits=int(total)))
            interval = {"low": exact.low, "high": exact.high}
        found.append(
            {
                "metric": metric,
                "n": n,
                "missing": len(cases) - n,
                "mean": total / n,
                "interval": interval,
            }
        )
    return found
