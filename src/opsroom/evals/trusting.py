"""Finding the judges behind the metrics of a gate, and what is known of them."""

from collections.abc import Mapping
from typing import Any, cast

from opsroom.datasets import queries as datasets
from opsroom.kit.canonical import digest
from opsroom.kit.db import Tx
from opsroom.kit.wire import adapter, plain
from opsroom.registry import Ref
from opsroom.registry import queries as registry

from . import store
from .calibrating import domain_of
from .evaluators import EvaluatorSpec, metric_of, model_of
from .gate import GateRules
from .measure import Measurement
from .model import EvalRun
from .trust import JudgeOf, trust_in

CALIBRATIONS = 100  # newest ones of a judge that are looked at


def judges_of(
    tx: Tx, wanted: Measurement, run: EvalRun, rules: GateRules
) -> Mapping[str, JudgeOf]:
    """The judges behind the metrics that `rules` name, each with the trust in every domain."""
    shape = adapter(cast("type[Any]", EvaluatorSpec))
    asked = {rule.metric for rule in rules.metrics}
    specs = [shape.validate_python(one) for one in store.specs_of(tx, run.id)]
    judges = {
        metric.name: spec
        for spec in specs
        if model_of(spec) and (metric := metric_of(spec)).name in asked
    }
    if not judges:
        return {}
    dataset, cited = datasets.dataset(tx, run.dataset_name)
    domains = {
        item.hash: domain_of(item, dataset.name)
        for item in datasets.items(tx, cited, split=run.split)
    }
    names = _names(tx, wanted.evaluators or cited.evaluators)
    return {
        metric: _judge_of(tx, spec, names, metric, domains) for metric, spec in judges.items()
    }


def _judge_of(
    tx: Tx,
    spec: EvaluatorSpec,
    names: Mapping[str, str],
    metric: str,
    domains: Mapping[str, str],
) -> JudgeOf:
    named = digest(plain(spec))
    evaluator = names.get(named, metric)  # a label may have moved on since it was measured
    name = Ref.parse(evaluator).name if named in names else ""
    known = store.calibrations_of(tx, name=name, evaluator=named, limit=CALIBRATIONS)
    return JudgeOf(
        evaluator=evaluator,
        domains=domains,
        trust={
            domain: trust_in(domain, named, known) for domain in sorted(set(domains.values()))
        },
    )


def _names(tx: Tx, cited: tuple[str, ...]) -> dict[str, str]:
    """What the cited evaluators are called, by digest."""
    found = [registry.version(tx, Ref.parse(one, kind="evaluator")) for one in cited]
    return {one.digest: one.ref for one in found}
