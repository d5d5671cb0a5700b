"""Artifacts, versions and labels."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from tests.registry.world import KINDS, person

from opsroom.journal import queries as journal
from opsroom.kit.canonical import digest
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database
from opsroom.registry import (
    ArtifactDraft,
    ArtifactExists,
    ArtifactNotFound,
    BadName,
    BadSpec,
    Criticality,
    LabelMoved,
    LabelProtected,
    Ref,
    UnknownKind,
    Version,
    VersionDraft,
    VersionNotFound,
    commands,
    queries,
)
from opsroom.registry.errors import NeverLabelled, NothingBefore, RolledBackFrom, SourceChanged
from opsroom.registry.store import versions as versions_table

ADA = person("ada", "author")


def create(db: Database, name: str = "a", actor: Actor = ADA, **draft: object) -> None:
    with db.write(actor) as tx:
        wanted = ArtifactDraft(kind="note", name=name, **draft)  # type: ignore[arg-type]  # tests vary it
        commands.create_artifact(tx, wanted, kinds=KINDS)


def write(
    db: Database, text: str, name: str = "a", actor: Actor = ADA, **draft: object
) -> Version:
    with db.write(actor) as tx:
        wanted = VersionDraft(spec={"text": text}, **draft)  # type: ignore[arg-type]  # tests vary it
        return commands.create_version(tx, "note", name, wanted, kinds=KINDS)


def move(db: Database, label: str, number: int, how: str = "merge") -> None:
    with db.write(ADA) as tx:
        of = queries.artifact(tx, "note", "a")
        commands.move_label(tx, of, label, number, how=how, reason="")


def at(db: Database, label: str, name: str = "a") -> int | None:
    with db.read(ADA) as tx:
        found = queries.label(tx, "note", name, label)
        return found.number if found else None


def roll_back(db: Database, label: str = "production", **how: int) -> int:
    with db.write(ADA) as tx:
        return commands.roll_back(tx, "note", "a", label, reason="it was bad", **how).number


def test_making_an_artifact_twice_finds_it_and_other_content_is_refused(db: Database) -> None:
    create(db, criticality=Criticality.ADVISORY)
    create(db, criticality=Criticality.ADVISORY)
    with pytest.raises(ArtifactExists):
        create(db, criticality=Criticality.AUTONOMOUS)
    with pytest.raises(ArtifactExists):
        create(db, criticality=Criticality.ADVISORY, owner="eve")
    with pytest.raises(UnknownKind), db.write(ADA) as tx:
        commands.create_artifact(tx, ArtifactDraft(kind="nothing", name="a"), kinds=KINDS)
    with db.read(ADA) as tx:
        assert len(journal.entries(tx, event="artifact.created")) == 1


def test_the_same_content_twice_is_one_version(db: Database) -> None:
    create(db)
    assert write(db, "one").number == write(db, "one").number == 1
    assert write(db, "two").number == 2
    with db.read(ADA) as tx:
        assert len(journal.entries(tx, event="version.created")) == 2


def test_a_source_is_imported_once_whatever_came_after(db: Database) -> None:
    create(db)
    first = write(db, "one", source="git:1")
    write(db, "two", source="git:2")
    assert write(db, "one", source="git:1") == first
    with pytest.raises(SourceChanged):
        write(db, "changed since", source="git:1")
    assert write(db, "two", source="git:3").number == 3  # a source of its own keeps its place
    with db.read(ADA) as tx:
        assert [one.source for one in queries.versions(tx, "note", "a")] == [
            "git:3",
            "git:2",
            "git:1",
        ]


def test_going_back_to_older_content_is_a_version_that_says_so(db: Database) -> None:
    create(db)
    texts = ["one", "two", "one", "three", "two", "one"]
    assert [write(db, text).reverts for text in texts] == [None, None, 1, None, 2, 1]


def test_a_version_is_what_was_written_and_its_digest_says_so(db: Database) -> None:
    create(db)
    then = datetime(2025, 1, 2, tzinfo=UTC)
    made = write(db, 'é\u2028\0 "x"', message="why", author="zoe", at=then)
    with db.read(ADA) as tx:
        found = queries.version(tx, Ref("note", "a", "1"))
    assert found == made
    assert found.spec == {"text": 'é\u2028\0 "x"', "cites": ""}
    assert found.digest == digest(found.spec)
    assert (found.author, found.created_at, found.parent, found.ref) == (
        "zoe",
        then,
        None,
        "note/a@1",
    )


def test_citations_are_pinned_to_the_version_of_that_moment(db: Database) -> None:
    create(db, "cited")
    create(db)
    write(db, "one", "cited")
    with db.write(ADA) as tx:
        citing = VersionDraft(spec={"text": "x", "cites": "cited"})
        first = commands.create_version(tx, "note", "a", citing, kinds=KINDS)
    write(db, "two", "cited")
    with db.write(ADA) as tx:
        second = commands.create_version(tx, "note", "a", citing, kinds=KINDS)
    assert [one.spec["cites"] for one in (first, second)] == ["note/cited@1", "note/cited@2"]
    assert first.digest != second.digest


@pytest.mark.parametrize(
    ("spec", "place"),
    [
        ({}, "text"),
        ({"text": 1}, "text"),
        ({"text": "x", "more": 1}, "more"),
        ({"text": None}, "text"),
    ],
)
def test_a_spec_that_does_not_fit_is_refused_with_its_place(
    sqlite_db: Database, spec: dict[str, object], place: str
) -> None:
    create(sqlite_db)
    with pytest.raises(BadSpec) as refused, sqlite_db.write(ADA) as tx:
        commands.create_version(tx, "note", "a", VersionDraft(spec=spec), kinds=KINDS)
    assert refused.value.place == place


def test_references_find_numbers_labels_and_the_latest(db: Database) -> None:
    create(db)
    for text in ("one", "two", "three"):
        write(db, text)
    with db.write(ADA) as tx:
        commands.set_label(tx, "note", "a", "staging", 2)
    with db.read(ADA) as tx:
        for text, number in (
            ("a", 3),
            ("a@latest", 3),
            ("a@1", 1),
            ("a@staging", 2),
            ("a@002", 2),
        ):
            assert queries.version(tx, Ref.parse(text, kind="note")).number == number
        for text in ("a@0", "a@4", "a@999999999", "a@production"):
            with pytest.raises(VersionNotFound):
                queries.version(tx, Ref.parse(text, kind="note"))
        with pytest.raises(ArtifactNotFound):
            queries.version(tx, Ref.parse("note/b"))


def test_projects_do_not_see_each_other(db: Database) -> None:
    eve = person("eve", "admin", project="elsewhere")
    create(db)
    write(db, "one")
    with db.read(eve) as tx:
        with pytest.raises(ArtifactNotFound):
            queries.artifact(tx, "note", "a")
        assert queries.artifacts(tx, "note") == []
        assert queries.counts(tx) == {}
    create(db, actor=eve, criticality=Criticality.AUTONOMOUS)
    assert write(db, "theirs", actor=eve).number == 1
    with db.read(ADA) as tx:
        assert queries.version(tx, Ref.parse("note/a")).spec["text"] == "one"


def test_protected_and_impossible_labels_are_not_set(db: Database) -> None:
    create(db)
    write(db, "one")
    with db.write(ADA) as tx:
        for label in ("latest", "", "Staging", "a b", "7", "x" * 65, "stag\0ing"):
            with pytest.raises(BadName):
                commands.set_label(tx, "note", "a", label, 1)
        with pytest.raises(LabelProtected) as refused:
            commands.set_label(tx, "note", "a", "production", 1)
        assert refused.value.way == "a proposal"
        with pytest.raises(VersionNotFound):
            commands.set_label(tx, "note", "a", "staging", 2)
    assert at(db, "staging") is None


def test_moving_a_label_where_it_is_changes_nothing(db: Database) -> None:
    create(db)
    write(db, "one")
    for _ in range(3):
        move(db, "production", 1)
    with db.read(ADA) as tx:
        assert len(queries.label_history(tx, "note", "a", "production")) == 1
        assert len(journal.entries(tx, event="label.moved")) == 1


def test_a_decision_about_a_label_that_has_moved_since_is_refused(db: Database) -> None:
    create(db)
    for text in ("one", "two", "three"):
        write(db, text)
    move(db, "production", 2)
    with db.write(ADA) as tx:
        of = queries.artifact(tx, "note", "a")
        with pytest.raises(LabelMoved):
            commands.move_label(tx, of, "production", 3, how="release", reason="", expected=1)
    assert at(db, "production") == 2


def test_rolling_back_goes_back_and_never_forth_again(db: Database) -> None:
    create(db)
    for text in ("one", "two", "three", "four"):
        write(db, text)
    for number in (1, 2, 3):
        move(db, "production", number)
    assert roll_back(db) == 2
    assert roll_back(db) == 1
    with pytest.raises(NothingBefore):
        roll_back(db)
    move(db, "production", 4)
    assert roll_back(db) == 1
    for lost in (2, 3, 4):
        with pytest.raises(RolledBackFrom):
            roll_back(db, to=lost)
    move(db, "production", 3)  # proven again
    move(db, "production", 1)
    assert roll_back(db, to=3) == 3
    with db.read(ADA) as tx:
        moves = queries.label_history(tx, "note", "a", "production")[::-1]
    assert [(one.before, one.after) for one in moves] == [
        (None, 1), (1, 2), (2, 3), (3, 2), (2, 1), (1, 4), (4, 1), (1, 3), (3, 1), (1, 3),
    ]  # fmt: skip
    assert moves[3].how == "rollback"
    assert moves[3].reason == "it was bad"


def test_rolling_back_knows_only_what_the_label_named(db: Database) -> None:
    create(db)
    for text in ("one", "two", "three"):
        write(db, text)
    with pytest.raises(VersionNotFound):
        roll_back(db)
    move(db, "production", 2)
    move(db, "production", 3)
    with pytest.raises(NeverLabelled):
        roll_back(db, to=1)
    with pytest.raises(LabelMoved):
        roll_back(db, expected=2)
    assert roll_back(db, expected=3) == 2


def test_the_history_keeps_its_order_when_the_clock_steps_back(
    db: Database, clock: ManualClock
) -> None:
    create(db)
    for text in ("one", "two", "three"):
        write(db, text)
        move(db, "production", at(db, "production") or 1)
    for number in (2, 3, 1, 2, 3):
        move(db, "production", number)
        clock.move(datetime(2026, 1, 1, tzinfo=UTC) - clock.now())
    with db.read(ADA) as tx:
        moves = queries.label_history(tx, "note", "a", "production")
    assert [one.after for one in moves] == [3, 2, 1, 3, 2, 1]


def test_a_thousand_versions_are_read_page_by_page(sqlite_db: Database) -> None:
    db = sqlite_db
    create(db)
    with db.write(ADA) as tx:
        for number in range(1000):
            draft = VersionDraft(spec={"text": str(number)})
            commands.create_version(tx, "note", "a", draft, kinds=KINDS)
    seen: list[int] = []
    before = None
    with db.read(ADA) as tx:
        while page := queries.versions(tx, "note", "a", before=before, limit=300):
            seen += [one.number for one in page]
            before = seen[-1]
        assert len(queries.versions(tx, "note", "a")) == queries.PAGE
        numbers = tx.conn.execute(select(versions_table.c.number)).scalars().all()
    assert seen == list(range(1000, 0, -1))
    assert sorted(numbers) == sorted(seen)


def test_artifacts_are_listed_by_name_with_counts_and_labels(db: Database) -> None:
    for number in range(25):
        create(db, f"note-{number:02}")
    write(db, "one", "note-03")
    with db.write(ADA) as tx:
        commands.set_label(tx, "note", "note-03", "staging", 1)
    names: list[str] = []
    with db.read(ADA) as tx:
        while page := queries.artifacts(tx, "note", after=names[-1] if names else "", limit=10):
            names += [one.name for one, _, _ in page]
        assert names == [f"note-{number:02}" for number in range(25)]
        (found, count, labels), *_ = queries.artifacts(tx, "note", search="e-03")
        assert (found.name, count, [one.label for one in labels]) == ("note-03", 1, ["staging"])
        for search in ("%", "_", "\\", "' OR 1=1 --"):
            assert queries.artifacts(tx, "note", search=search) == []
        assert queries.counts(tx) == {"note": 25}


def test_nothing_in_the_registry_changes_a_version(db: Database) -> None:
    """Every command there is, and the rows of the first version stay as they were."""
    create(db)
    write(db, "one", source="git:1")

    def row() -> object:
        with db.read(ADA) as tx:
            return tx.conn.execute(
                select(versions_table).where(versions_table.c.number == 1)
            ).one()

    before = row()
    write(db, "two")
    write(db, "one", source="git:1", message="another", author="eve")
    write(db, "one")
    move(db, "production", 2)
    move(db, "production", 1)
    roll_back(db)
    assert row() == before
