"""Sending a notice: a signed webhook, or a message through a service.

Nothing is stored here, and nothing is raised for what the other side does.
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit

import httpx2

from opsroom.kit import outbound
from opsroom.kit.errors import OpsroomError
from opsroom.kit.webhooks import sign
from opsroom.kit.wire import plain
from opsroom.vault import Opened, Secrets, from_environment, within

from . import services
from .model import Answer, ChannelSpec, Delivery, Notice, Service, Webhook

ANSWER = outbound.Limits(size=2**20, seconds=10.0)
GONE = 410


class Sender:
    """Sends notices. `site` is where our pages are found; `allow` names hosts of one's own,
    and `secrets` opens what channels cite.
    """

    def __init__(
        self,
        *,
        site: str,
        allow: Iterable[str] = (),
        secrets: Secrets | None = None,
        answer: outbound.Limits = ANSWER,
    ) -> None:
        self._site = site.rstrip("/")
        self._allow = tuple(allow)
        self._secrets = secrets or from_environment()
        self._answer = answer

    def send(self, spec: ChannelSpec, delivery: Delivery, *, now: datetime) -> Answer:
        """Send it once. Never raises for what the other side does, or for what is not set."""
        try:
            secret = self._secrets(within(spec.to.secret, delivery.notice.project))
        except OpsroomError as error:
            return Answer(taken=False, said=str(error))
        answer = self._sent(spec, secret, delivery, now=now)
        return replace(answer, said=secret.scrub(answer.said))

    def _sent(
        self, spec: ChannelSpec, secret: Opened, delivery: Delivery, *, now: datetime
    ) -> Answer:
        notice = delivery.notice
        try:
            match spec.to:
                case Webhook(url=url):
                    return self._post(url, secret.key(url), delivery, now=now)
                case Service():
                    address, link = secret.address(), self._link(notice)
                    return services.send(address, notice, link=link, allow=self._allow)
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
            said=said,
            wait=float(wait) if wait.isascii() and wait.isdecimal() else 0.0,
            gone=response.status_code == GONE,
        )

    def _link(self, notice: Notice) -> str:
        return self._site + notice.page if notice.page else ""
