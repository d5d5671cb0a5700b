"""Answers of agents and prompts, tested case by case by pytest; see `opsroom.sdk.eval_tests`.

    @pytest.mark.opsroom_eval("customs-cases", subject="customs-classifier")
    def test_classifies(opsroom_case):
        opsroom_case.answer(classify(opsroom_case.input))

This module is imported by every pytest in an environment that has opsroom in it. It looks at the
marker and imports nothing until it finds one.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from opsroom.sdk.eval_tests import Proving

MARK = "opsroom_eval"
RUN = "opsroom.run"
DOOR, PROVING = "opsroom-door", "opsroom-proving"


def pytest_addoption(parser: "pytest.Parser") -> None:
    group = parser.getgroup("opsroom", "opsroom: answers of agents and prompts")
    add = group.addoption
    add("--opsroom-gate", metavar="BASE", help="Gate the answers against a version or a run.")
    add("--opsroom-metric", default="", help="The gate's primary metric.")
    add("--opsroom-margin", type=float, help="Loss that the gate tolerates [0.05].")
    add("--opsroom-min-samples", type=int, help="The gate's lowest number of pairs [200].")
    add("--opsroom-strict", action="store_true", help="Match or exceed on every metric.")
    add("--opsroom-proposal", default="", help="Report the verdict as a check of a proposal.")
    add("--opsroom-variant", default="", help="Keep these runs apart, as of a model or branch.")
    add("--opsroom-junit", metavar="FILE", help="Write the gate's verdict as JUnit.")
    add("--opsroom-md", metavar="FILE", help="Append a Markdown summary.")
    add("--opsroom-offline", action="store_true", help="Skip what needs a server.")


def pytest_configure(config: "pytest.Config") -> None:
    config.addinivalue_line(
        "markers",
        f"{MARK}(dataset, *, subject, evaluators, split, trials): run the test on every case of"
        " a dataset (or a file), and have the answers judged",
    )
    config.pluginmanager.register(_Door(config), DOOR)


class _Door:
    """Waits for the first test that is marked, and lets the rest in."""

    def __init__(self, config: "pytest.Config") -> None:
        self._config = config

    def pytest_generate_tests(self, metafunc: "pytest.Metafunc") -> None:
        mark = metafunc.definition.get_closest_marker(MARK)
        if mark is not None:
            self._proving().parametrize(metafunc, mark)

    def pytest_runtest_logreport(self, report: "pytest.TestReport") -> None:
        # With pytest-xdist, reports are all that the main process hears of the tests.
        if report.when == "call" and any(name == RUN for name, _ in report.user_properties):
            self._proving().heard(report)

    def pytest_sessionfinish(self, session: "pytest.Session") -> None:
        asked = self._config.getoption("opsroom_gate") and not session.config.option.collectonly
        if asked or self._config.pluginmanager.has_plugin(PROVING):
            self._proving().finish(session)

    def _proving(self) -> "Proving":
        if not self._config.pluginmanager.has_plugin(PROVING):
            from opsroom.sdk import eval_tests  # noqa: PLC0415  # see above

            self._config.pluginmanager.register(eval_tests.Proving(self._config), PROVING)
        found: Proving = self._config.pluginmanager.get_plugin(PROVING)  # type: ignore[assignment]
        return found
