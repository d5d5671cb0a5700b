"""Checkpoints at work: noticing at the start what was put back, signing every minute, and
telling somebody outside.
"""

import logging
from collections.abc import Iterable
from urllib.parse import urlsplit

import httpx2

from opsroom.kit import outbound
from opsroom.kit.db import Database
from opsroom.kit.errors import OpsroomError

from . import checkpoints
from .checkpoints import SYSTEM, Notary
from .errors import KeyElsewhere
from .proofs import Signed

log = logging.getLogger(__name__)
EVERY = 60.0
ANSWER = outbound.Limits(size=2**16, seconds=10.0)


def notice(db: Database, notary: Notary) -> None:
    """Say loudly, at the start, when the journal is not what was signed: it goes on being
    written, since work must not stop, but nothing is signed until somebody has decided.
    """
    try:
        with db.read(SYSTEM) as tx:
            checkpoints.check(tx, notary)
    except OpsroomError as error:
        log.error("%s; %s", error, error.as_dict()["hint"])  # noqa: TRY400  # no bug of ours


class Witness:
    """Signs what the journal is, and posts each new checkpoint to `url` as it is: signed text.

    A post that fails is not repeated: the next checkpoint holds all that this one held. Each
    problem is told once, until it is another or none. Where another process has the key, this
    one has nothing to do.
    """

    def __init__(
        self, db: Database, notary: Notary, *, url: str = "", allow: Iterable[str] = ()
    ) -> None:
        self._db = db
        self._notary = notary
        self._url = url
        self._allow = tuple(allow)
        self._posted = -1
        self._problem = ""

    def look(self) -> None:
        """Sign once, and post what is new."""
        try:
            signed = checkpoints.make(self._db, self._notary)
            problem = self._post(signed) if self._url and signed.size > self._posted else ""
        except KeyElsewhere:
            problem = ""
        except OpsroomError as error:
            problem = f"no checkpoint was made: {error}"
        if problem and problem != self._problem:
            log.error("%s", problem)
        self._problem = problem

    def _post(self, signed: Signed) -> str:
        """Why it was not taken, or nothing."""
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        try:
            with outbound.client(allow=self._allow, limits=ANSWER) as client:
                body = signed.note.encode()
                response = client.post(self._url, content=body, headers=headers)
            why = "" if response.is_success else f"it answered {response.status_code}"
        except (OpsroomError, httpx2.HTTPError, OSError) as error:
            why = str(error) or type(error).__name__
        if why:
            host = urlsplit(self._url).hostname
            return f"the checkpoint was not taken by {host}: {why}"
        self._posted = signed.size
        return ""
