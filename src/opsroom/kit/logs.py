"""Logs without secrets: what a message, an argument or an exception holds is redacted on its way
out, since nobody can foresee what stands in the words of an error.
"""

import logging
import sys
import threading
from types import TracebackType
from typing import TextIO

from .redaction import secrets_out

FORM = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class Redacting(logging.Formatter):
    """Formats as its base does, then takes out what `SECRETS` name; stack traces included."""

    def format(self, record: logging.LogRecord) -> str:
        return secrets_out().clean(super().format(record))


def install(stream: TextIO | None = None) -> None:
    """Let this process log warnings to stderr, redacted; and what nobody caught as well."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Redacting(FORM))
    root = logging.getLogger()
    root.addHandler(handler)
    log = logging.getLogger("opsroom")

    def uncaught(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
        else:
            log.critical("nobody caught this", exc_info=(kind, error, trace))

    def in_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not issubclass(args.exc_type, SystemExit):
            uncaught(args.exc_type, args.exc_value, args.exc_traceback)

    sys.excepthook = uncaught
    threading.excepthook = in_thread
