"""Maturity over HTTP: every level with the records that it rests on."""

from dataclasses import dataclass, replace
from typing import Annotated, cast

from fastapi import APIRouter, Query, Request

from opsroom.access.http import Read
from opsroom.kit.wire import Wire

from . import queries
from .model import Assessment, Past, Summary

router = APIRouter(prefix="/v1/maturity", tags=["maturity"])
Subject = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing(Wire):
    """How far a subject has come, and how it came there (newest first)."""

    assessment: Assessment
    history: tuple[Past, ...]


@router.get("")
def show_summary(request: Request, tx: Read) -> Summary:
    """The level of the project, of every agent, and of every prompt in production."""
    site = cast("str", request.app.state.settings.site)
    return replace(queries.summary(tx), site=site)


@router.get("/of")
def show_one(tx: Read, subject: Subject) -> Standing:
    """One agent (`agent/NAME`), prompt (`prompt/NAME`) or the project (`project/NAME`)."""
    return Standing(
        assessment=queries.assessment(tx, subject),
        history=tuple(queries.history(tx, subject)),
    )
