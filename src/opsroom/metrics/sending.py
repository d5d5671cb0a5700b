"""Sending metrics to a collector of OpenTelemetry, for those who are not scraped."""

import gzip
import logging
from collections.abc import Iterable
from urllib.parse import urlsplit

import httpx2
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)

from opsroom.access import queries as access
from opsroom.kit import outbound
from opsroom.kit.db import Actor, Database
from opsroom.kit.errors import OpsroomError
from opsroom.traces.telemetry import Traces

from . import otlp
from .collecting import SYSTEM, Metrics

log = logging.getLogger(__name__)
PROTOBUF = "application/x-protobuf"
ANSWER = outbound.Limits(size=2**20, seconds=20.0)
MOST_SAID = 300


class Sender:
    """Sends the metrics of every project to one address, which it calls as everybody else is
    called: public, or named in `allow`. That it fails is told once, until it works again.

    `header` (`Name: value`) is a secret that goes to that address and nowhere else. What it
    sends are `metrics`, which those who scrape are told from as well.
    """

    def __init__(
        self,
        db: Database,
        url: str,
        *,
        metrics: Metrics | None = None,
        header: str = "",
        allow: Iterable[str] = (),
        instance: str = "",
    ) -> None:
        self._db = db
        self._url = url
        name, _, value = header.partition(":")
        self._auth = (
            outbound.Secret(url, value.strip(), name, "")
            if header
            else httpx2.USE_CLIENT_DEFAULT
        )
        self._allow = tuple(allow)
        self._instance = instance
        self._metrics = metrics or Metrics(db)
        self._failing = False

    def send(self, telemetry: Traces) -> bool:
        """Collect and send once; whether all of it was taken."""
        try:
            problem = self._post(self._collected(telemetry))
        except (OpsroomError, httpx2.HTTPError, OSError) as error:
            problem = str(error) or type(error).__name__
        if problem and not self._failing:
            log.warning(
                "metrics could not be sent to %s; it goes on being tried: %s",
                urlsplit(self._url).hostname,
                problem[:MOST_SAID],
            )
        elif self._failing and not problem:
            log.warning("metrics are taken again by %s", urlsplit(self._url).hostname)
        self._failing = bool(problem)
        return not problem

    def _collected(self, telemetry: Traces) -> bytes:
        with self._db.read(Actor(SYSTEM, "", human=False)) as tx:
            projects, now = access.projects(tx), tx.now
        samples = {one: self._metrics.of(one, telemetry).samples for one in projects}
        made = otlp.request(samples, instance=self._instance, at=now)
        return gzip.compress(made.SerializeToString(), compresslevel=5, mtime=0)

    def _post(self, body: bytes) -> str:
        """Why it was not taken, or nothing."""
        headers = {"Content-Type": PROTOBUF, "Content-Encoding": "gzip"}
        with outbound.client(allow=self._allow, limits=ANSWER) as client:
            response = client.post(self._url, content=body, headers=headers, auth=self._auth)
        if not response.is_success:
            return f"it answered {response.status_code}"
        try:
            told = ExportMetricsServiceResponse.FromString(response.content).partial_success
        except DecodeError:  # taken, by something that answers in other words
            return ""
        many = told.rejected_data_points
        return f"it rejected {many} of the points: {told.error_message}" if many else ""
