"""What feedback comes to, in sums that the database makes over what counts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select

from opsroom.kit.db import Tx

from .model import Source
from .store import feedback


def votes(
    tx: Tx,
    since: datetime,
    by: Sequence[str] = (),
    *,
    until: datetime | None = None,
    agent: str = "",
    limit: int,
) -> list[dict[str, Any]]:
    """What users said, all together or by these columns: of each question how many said yes,
    and how many said anything; the largest groups first.
    """
    columns = [feedback.c[name] for name in by]
    questions = {
        name: (func.count(column), func.coalesce(func.sum(case((column, 1), else_=0)), 0))
        for name, column in (
            ("helpful", feedback.c.helpful),
            ("accurate", feedback.c.accurate),
            ("complete", feedback.c.complete),
        )
    }
    voices = func.count()
    narrower = [feedback.c.at < until] if until is not None else []
    if agent:
        narrower.append(feedback.c.agent == agent)
    wanted = (
        select(
            *columns,
            voices.label("voices"),
            *(one.label(f"{name}_n") for name, (one, _) in questions.items()),
            *(one.label(f"{name}_yes") for name, (_, one) in questions.items()),
        )
        .where(*_counted(tx, Source.USER, since), *narrower)
        .group_by(*columns)
        .order_by(voices.desc(), *columns)
        .limit(limit)
    )
    return [dict(row) for row in tx.conn.execute(wanted).mappings()]


def results(tx: Tx, since: datetime, *, limit: int) -> list[dict[str, Any]]:
    """What the business reported, by agent, result, unit and version: how many, the mean, and
    the sum of squares around it.
    """
    by = (feedback.c.agent, feedback.c.kpi, feedback.c.unit, feedback.c.version)
    of = (*_counted(tx, Source.BUSINESS, since), feedback.c.version != "")
    means = (
        select(*by, func.count().label("n"), func.avg(feedback.c.amount).label("mean"))
        .where(*of)
        .group_by(*by)
        .order_by(func.count().desc(), *by)
        .limit(limit)
        .cte("means")
    )
    away = feedback.c.amount - means.c.mean
    same = and_(*(feedback.c[column.name] == means.c[column.name] for column in by))
    named = [means.c[column.name] for column in by]
    wanted = (
        select(*named, means.c.n, means.c.mean, func.sum(away * away).label("squares"))
        .select_from(feedback.join(means, same))
        .where(*of)
        .group_by(*named, means.c.n, means.c.mean)
        .order_by(*named)
    )
    return [dict(row) for row in tx.conn.execute(wanted).mappings()]


def counted(tx: Tx, since: datetime) -> dict[Source, int]:
    """How much figures use, by source."""
    wanted = (
        select(feedback.c.source, func.count())
        .where(
            feedback.c.project == tx.project,
            feedback.c.counts.is_(True),
            feedback.c.at >= since,
        )
        .group_by(feedback.c.source)
    )
    return {Source(row[0]): row[1] for row in tx.conn.execute(wanted)}


def _counted(tx: Tx, source: Source, since: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        feedback.c.project == tx.project,
        feedback.c.counts.is_(True),
        feedback.c.source == source.value,
        feedback.c.at >= since,
    )
