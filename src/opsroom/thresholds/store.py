"""The tables of thresholds: rated decisions, examinations, and what projects ask."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Float,
    Index,
    Integer,
    RowMapping,
    Select,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)

from opsroom.kit import choices
from opsroom.kit.canonical import canonical
from opsroom.kit.db import Tx, metadata
from opsroom.kit.wire import adapter, plain

from .model import NEWEST, Decision, Examination, Settings, Source

decisions = Table(
    "threshold_decisions",
    metadata,
    Column("action", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("agent", String, nullable=False),
    Column("environment", String, nullable=False),
    Column("contract", String, nullable=False),
    Column("reference", String, nullable=False),
    Column("manifest", String(64), nullable=False),
    Column("confidence", Float, nullable=False),
    Column("source", String, nullable=False),
    Column("right", Boolean),
    Column("overridden", Boolean, nullable=False),
    Column("outcome", String, nullable=False),
    Index(
        "ix_threshold_decisions_of",
        "project", "agent", "environment", "contract", "action", "confidence", "source", "right",
    ),
)  # fmt: skip

examinations = Table(
    "threshold_examinations",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("agent", String, nullable=False),
    Column("environment", String, nullable=False),
    Column("contract", String, nullable=False),
    Column("manifest", String(64), nullable=False),
    Column("look", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_threshold_examinations_project", "project", "id"),
    Index(
        "ix_threshold_examinations_of",
        "project", "agent", "environment", "contract", "id",
    ),
)  # fmt: skip

settings = Table(
    "threshold_settings",
    metadata,
    Column("project", String, primary_key=True),
    Column("settings", Text, nullable=False),
)


class Of(NamedTuple):
    """Whose decisions: of an agent, under a contract (its name), in an environment."""

    agent: str
    contract: str
    environment: str


class Counted(NamedTuple):
    contract: str
    decisions: int
    labelled: int


def decision(tx: Tx, action_id: str) -> Decision | None:
    wanted = select(decisions).where(
        decisions.c.project == tx.project, decisions.c.action == action_id
    )
    row = tx.conn.execute(wanted).mappings().first()
    return None if row is None else _decision(row)


def add(tx: Tx, one: Decision) -> None:
    tx.conn.execute(insert(decisions).values(project=tx.project, **_row(one)))


def save(tx: Tx, one: Decision) -> None:
    tx.conn.execute(update(decisions).where(_is(tx, one.action)).values(_row(one)))


def forget(tx: Tx, action_id: str) -> None:
    tx.conn.execute(delete(decisions).where(_is(tx, action_id)))


def newest(tx: Tx, of: Of, manifests: Sequence[str]) -> list[Decision]:
    """The newest decisions on these manifests, newest first."""
    wanted = _of(tx, of).where(decisions.c.manifest.in_(manifests))
    rows = tx.conn.execute(wanted.order_by(decisions.c.action.desc()).limit(NEWEST)).mappings()
    return [_decision(row) for row in rows]


def above(
    tx: Tx, of: Of, *, confidence: float, since: str, spots: bool, limit: int
) -> tuple[int, list[Decision]]:
    """How many decisions at a confidence or more there have been since an action, and the newest
    of them, oldest first. With `spots`, only spot checks that have their answer.
    """
    wanted = _of(tx, of).where(
        decisions.c.confidence >= confidence, decisions.c.action >= since
    )
    if spots:
        wanted = wanted.where(
            decisions.c.source == Source.SPOT.value, decisions.c.right.is_not(None)
        )
    else:
        wanted = wanted.where(decisions.c.source != Source.ASKED.value)
    many = tx.conn.execute(wanted.with_only_columns(func.count())).scalar_one()
    rows = tx.conn.execute(wanted.order_by(decisions.c.action.desc()).limit(limit)).mappings()
    return int(many), [_decision(row) for row in rows][::-1]


def contracts(
    tx: Tx, agent: str, environment: str, manifests: Sequence[str], *, limit: int
) -> list[Counted]:
    """What an agent was sure of to some degree, by contract, the most labelled first."""
    labelled = func.count(decisions.c.right).label("labelled")
    wanted = (
        select(decisions.c.contract, func.count(), labelled)
        .where(
            decisions.c.project == tx.project,
            decisions.c.agent == agent,
            decisions.c.environment == environment,
            decisions.c.manifest.in_(manifests),
        )
        .group_by(decisions.c.contract)
        .order_by(labelled.desc(), decisions.c.contract)
        .limit(limit)
    )
    return [Counted(row[0], int(row[1]), int(row[2])) for row in tx.conn.execute(wanted)]


def reference(tx: Tx, of: Of) -> str | None:
    """The version of the contract that the newest decision was under."""
    wanted = _of(tx, of).with_only_columns(decisions.c.reference)
    return tx.conn.execute(wanted.order_by(decisions.c.action.desc()).limit(1)).scalar()


def add_examination(tx: Tx, one: Examination) -> None:
    tx.conn.execute(
        insert(examinations).values(
            id=one.id,
            project=tx.project,
            agent=one.agent,
            environment=one.environment,
            contract=one.contract,
            manifest=one.manifest,
            look=one.look,
            body=canonical(plain(one)).decode(),
        )
    )


def examination(tx: Tx, examination_id: str) -> Examination | None:
    wanted = select(examinations.c.body).where(
        examinations.c.project == tx.project, examinations.c.id == examination_id
    )
    body = tx.conn.execute(wanted).scalar()
    return None if body is None else _examination(body)


def page(
    tx: Tx,
    *,
    agent: str | None = None,
    environment: str | None = None,
    contract: str | None = None,
    before: str | None = None,
    limit: int,
) -> list[Examination]:
    """Examinations, newest first."""
    wanted = select(examinations.c.body).where(examinations.c.project == tx.project)
    for column, value in (
        (examinations.c.agent, agent),
        (examinations.c.environment, environment),
        (examinations.c.contract, contract),
    ):
        if value is not None:
            wanted = wanted.where(column == value)
    if before is not None:
        wanted = wanted.where(examinations.c.id < before)
    bodies = tx.conn.execute(wanted.order_by(examinations.c.id.desc()).limit(limit)).scalars()
    return [_examination(body) for body in bodies]


def looks(tx: Tx, of: Of, manifests: Sequence[str]) -> int:
    """How many looks there have been at these manifests."""
    wanted = select(func.count()).where(
        examinations.c.project == tx.project,
        examinations.c.agent == of.agent,
        examinations.c.environment == of.environment,
        examinations.c.contract == of.contract,
        examinations.c.manifest.in_(manifests),
    )
    return int(tx.conn.execute(wanted).scalar_one())


def load_settings(tx: Tx) -> Settings:
    return choices.load(tx, settings, Settings)


def save_settings(tx: Tx, new: Settings) -> None:
    choices.save(tx, settings, new)


def _is(tx: Tx, action_id: str) -> ColumnElement[bool]:
    return (decisions.c.project == tx.project) & (decisions.c.action == action_id)


def _of(tx: Tx, of: Of) -> Select[Any]:
    return select(decisions).where(
        decisions.c.project == tx.project,
        decisions.c.agent == of.agent,
        decisions.c.environment == of.environment,
        decisions.c.contract == of.contract,
    )


def _row(one: Decision) -> dict[str, Any]:
    row = {name: getattr(one, name) for name in Decision.__dataclass_fields__}
    return row | {"source": one.source.value}


def _decision(row: RowMapping) -> Decision:
    values: dict[str, Any] = {name: row[name] for name in Decision.__dataclass_fields__}
    values["source"] = Source(values["source"])
    return Decision(**values)


def _examination(body: str) -> Examination:
    return adapter(Examination).validate_json(body)
