"""Sending a notice: a signed webhook, or a message through a service.

Nothing is stored here, and nothing is raised for what the other side does.
"""

import json
import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from urllib.parse import urlsplit

import httpx2

from opsroom.kit import outbound
from opsroom.kit.errors import OpsroomError
from opsroom.kit.webhooks import sign
from opsroom.kit.wire import plain

from . import services
from .model import MOST_SAID, Answer, ChannelSpec, Delivery, Notice, Service, Webhook

ANSWER = outbound.Limits(size=2**20, seconds=10.0)
GONE = 410


class Sender:
    """Sends notices. `site` is where our pages are found; `allow` names hosts of one's own."""

    def __init__(
        self,
        *,
        site: str,
        allow: Iterable[str] = (),
        environment: Mapping[str, str] | None = None,
        answer: outbound.Limits = ANSWER,
    ) -> None:
        self._site = site.rstrip("/")
        self._allow = tuple(allow)
        self._environment = os.environ if environment is None else environment
        self._answer = answer

    def send(self, spec: ChannelSpec, delivery: Delivery, *, now: datetime) -> Answer:
        """Send it once. Never raises for what the other side does, or for what is not set."""
        secret = self._environment.get(spec.to.secret, "")
        if not secret:
            return Answer(taken=False, said=f"the variable {spec.to.secret} is not set here")
        try:
            match spec.to:
                case Webhook(url=url):
                    return self._post(url, secret, delivery, now=now)
                case Service():
                    link = self._link(delivery.notice)
                    return services.send(secret, delivery.notice, link=link, allow=self._allow)
        except OpsroomError as error:
            return Answer(taken=False, said=str(error))
        except (httpx2.HTTPError, OSError) as error:
            return Answer(taken=False, said=str(error) or type(error).__name__)

    def _post(self, url: str, key: str, delivery: Delivery, *, now: datetime) -> Answer:
        notice = delivery.notice
        told = {"id": delivery.id, **plain(notice), "link": self._link(notice)}
        body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
        headers = sign(key, message_id=delivery.id, at=now, body=body)
        with outbound.client(allow=self._allow, limits=self._answer) as client:
            response = client.post(
                url, content=body, headers={**headers, "content-type": "application/json"}
            )
        said = f"{urlsplit(url).netloc} answered {response.status_code}"
        if response.is_success:
            return Answer(taken=True, said=said)
        if response.is_redirect:
            said += ", which leads elsewhere and is not followed"
        elif text := response.text.strip():
            said += f": {text}"
        wait = response.headers.get("retry-after", "")
        return Answer(
            taken=False,
            said=said[:MOST_SAID],
            wait=float(wait) if wait.isascii() and wait.isdecimal() else 0.0,
            gone=response.status_code == GONE,
        )

    def _link(self, notice: Notice) -> str:
        return self._site + notice.page if notice.page else ""
