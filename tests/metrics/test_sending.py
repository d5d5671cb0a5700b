"""A collector gets what a scraper would, and one that is away is told of once."""

import gzip
import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from tests.alerts.world import SYSTEM, end
from tests.api import Api
from tests.channels.world import Receiver, receiver
from tests.metrics.parsing import parse
from tests.patience import eventually

from opsroom.actions.model import Final
from opsroom.app import Settings, background, open_runtime
from opsroom.app.models import ConfiguredModels
from opsroom.app.telemetry import traces
from opsroom.kit.clock import ManualClock
from opsroom.metrics.sending import Sender

WARNINGS = "opsroom.metrics.sending"
Points = dict[str, dict[tuple[tuple[str, str], ...], float]]


def arrived(there: Receiver) -> dict[str, Any]:
    """Metrics by project, from the last that arrived."""
    headers, body = there.seen[-1]
    assert headers["Content-Type"] == "application/x-protobuf"
    assert headers["Content-Encoding"] == "gzip"
    told = ExportMetricsServiceRequest.FromString(gzip.decompress(body))
    found: dict[str, Any] = {}
    for one in told.resource_metrics:
        named = {each.key: each.value.string_value for each in one.resource.attributes}
        assert named["service.name"] == "opsroom"
        found[named["opsroom.project"]] = one.scope_metrics[0].metrics
    return found


def points(metrics: Any) -> Points:
    return {
        metric.name: {
            tuple(
                (one.key, one.value.string_value) for one in point.attributes
            ): point.as_double
            for point in getattr(metric, metric.WhichOneof("data")).data_points
        }
        for metric in metrics
    }


def test_the_same_samples_as_a_scrape(sqlite_api: Api, clock: ManualClock) -> None:
    for project in ("default", "other"):
        sqlite_api.project(project)
    with sqlite_api.db.write(SYSTEM) as tx:
        end(tx, "clerk", tx.now - timedelta(minutes=30), [Final.DONE, Final.FAILED])
    viewer = sqlite_api.program("viewer")
    with receiver() as there:
        sender = Sender(sqlite_api.db, f"{there.url}/v1/metrics", allow=(there.host,))
        assert sender.send(sqlite_api.app.state.traces)
        found = arrived(there)
    scraped = parse(viewer.send("GET", "/metrics").text)
    assert points(found["default"]) == {name: one.samples for name, one in scraped.items()}
    assert found.keys() == {"default", "other"}
    assert "opsroom_turns_ended_last_hour" not in points(found["other"])
    for metric in found["default"]:
        counter = metric.name.endswith("_total")
        assert metric.WhichOneof("data") == ("sum" if counter else "gauge")
    (point,) = next(
        one for one in found["default"] if one.name == "opsroom_failed_ratio"
    ).gauge.data_points
    assert point.time_unix_nano == int(clock.now().timestamp()) * 10**9
    assert point.as_double == 0.5


def test_a_failure_is_told_once_and_so_is_its_end(
    sqlite_api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, WARNINGS)
    telemetry = sqlite_api.app.state.traces
    with receiver() as there:
        sender = Sender(sqlite_api.db, there.url, allow=(there.host,))
        for status in (503, 500, 503):
            there.next(status)
            assert not sender.send(telemetry)
        assert [one.message for one in caplog.records] == [
            "metrics could not be sent to 127.0.0.1; it goes on being tried: it answered 503"
        ]
        assert sender.send(telemetry)
        assert sender.send(telemetry)
        assert caplog.messages[1:] == ["metrics are taken again by 127.0.0.1"]
        refused = ExportMetricsServiceResponse()
        refused.partial_success.rejected_data_points = 3
        refused.partial_success.error_message = "too old"
        there.next(200, refused.SerializeToString())
        assert not sender.send(telemetry)
        assert "it rejected 3 of the points: too old" in caplog.messages[-1]
        there.next(200, b"{}")
        assert sender.send(telemetry)
    assert not sender.send(telemetry)  # nobody is there any more


def test_a_header_goes_with_them_and_into_no_log(
    sqlite_api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with receiver() as there:
        sender = Sender(
            sqlite_api.db,
            there.url,
            header="api-key: heron-7f3a91c2",
            allow=(there.host,),
        )
        there.next(401)
        assert not sender.send(sqlite_api.app.state.traces)
        there.next(307, Location="http://127.0.0.1:1/")
        assert not sender.send(sqlite_api.app.state.traces)
        headers, _ = there.seen[0]
        assert {name.lower(): value for name, value in headers.items()}[
            "api-key"
        ] == "heron-7f3a91c2"
    assert "it answered 401" in caplog.text
    assert "heron" not in caplog.text
    assert "heron" not in repr(Settings(otlp_metrics_header="api-key: heron-7f3a91c2"))


def test_what_is_sent_is_collected_once_for_those_who_scrape_as_well(sqlite_api: Api) -> None:
    sqlite_api.project("default")
    state = sqlite_api.app.state
    with receiver() as there:
        sender = Sender(sqlite_api.db, there.url, metrics=state.metrics, allow=(there.host,))
        before = state.metrics.of("default", state.traces)
        assert sender.send(state.traces)
    assert state.metrics.of("default", state.traces) is before


def test_an_address_that_nobody_allowed_is_not_called(
    sqlite_api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    with receiver() as there:
        assert not Sender(sqlite_api.db, there.url).send(sqlite_api.app.state.traces)
        assert there.seen == []
    assert "metrics could not be sent" in caplog.text


def test_a_server_sends_them_beside_its_requests(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "SEND_METRICS_EVERY", 0.05)
    with receiver() as there:
        runtime = open_runtime(
            Settings(
                data=tmp_path / "home",
                clock=clock,
                otlp_metrics_url=there.url,
                allowed_hosts=(there.host,),
            )
        )
        models = ConfiguredModels(runtime.settings)
        beside = background.Background(runtime, models, traces(runtime))
        beside.start()
        try:
            eventually(lambda: there.seen)
        finally:
            beside.stop()
            runtime.close()
        assert "opsroom_build_info" in points(arrived(there)["default"])
