"""Samples as OpenTelemetry has them: one resource for each project. Pure.

What goes up and down is a gauge, what only goes up a cumulative sum; names and labels are those
of `/metrics`, so that one dashboard reads both.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

import opsroom

from .exposition import Kind, Metric, Sample

SERVICE = "opsroom"


def request(
    of: Mapping[str, Iterable[Sample]], *, instance: str, at: datetime
) -> ExportMetricsServiceRequest:
    """The samples of some projects, as they were at a moment."""
    made = ExportMetricsServiceRequest()
    nano = int(at.timestamp() * 1_000_000) * 1_000
    for project, samples in of.items():
        resource = made.resource_metrics.add()
        _name(
            resource.resource.attributes,
            {
                "service.name": SERVICE,
                "service.version": opsroom.__version__,
                "service.instance.id": instance,
                "opsroom.project": project,
            },
        )
        scope = resource.scope_metrics.add()
        scope.scope.name = SERVICE
        scope.scope.version = opsroom.__version__
        points: dict[Metric, Any] = {}
        for one in samples:
            if one.metric not in points:
                points[one.metric] = _points(scope.metrics.add(), one.metric)
            point = points[one.metric].add(time_unix_nano=nano, as_double=one.value)
            _name(point.attributes, dict(zip(one.metric.labels, one.labels, strict=True)))
    return made


def _points(made: Any, metric: Metric) -> Any:
    """Where the points of a metric go."""
    made.name, made.description = metric.name, metric.help
    if metric.kind is Kind.GAUGE:
        return made.gauge.data_points
    made.sum.is_monotonic = True
    made.sum.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    return made.sum.data_points


def _name(attributes: Any, named: Mapping[str, str]) -> None:
    for key, value in named.items():
        attributes.add(key=key).value.string_value = value
