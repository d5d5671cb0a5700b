"""Pushing files: the same again changes nothing, and nobody's work is written over."""

from dataclasses import replace

import pytest
from tests.conftest import MakeActor
from tests.workspace.world import ITEMS, base, entries, files, prompt, states

from opsroom.app.kinds import KINDS
from opsroom.datasets import commands as datasets
from opsroom.datasets.model import Item
from opsroom.journal import queries as journal
from opsroom.kit.db import Actor, Database
from opsroom.registry import Criticality, VersionDraft
from opsroom.registry import commands as registry
from opsroom.registry import queries as registered
from opsroom.workspace import commands
from opsroom.workspace.errors import FileRefused, ServerMoved


def test_what_was_pushed_is_pushed_only_once(db: Database, actor: Actor) -> None:
    with db.write(actor) as tx:
        first = commands.push(tx, files(), kinds=KINDS)
    assert set(states(first).values()) == {"create"}
    with db.write(actor) as tx:
        before = journal.head(tx).seq
        again = commands.push(tx, files(), kinds=KINDS)
    assert set(states(again).values()) == {"unchanged"}
    with db.read(actor) as tx:
        assert journal.head(tx).seq == before
        assert registered.versions(tx, "agent", "greeter")[0].spec["prompts"] == {
            "system": "greeting@1"
        }


def test_a_plan_says_what_a_push_does_and_does_nothing(
    sqlite_db: Database, actor: Actor
) -> None:
    with sqlite_db.write(actor) as tx:
        planned = commands.plan(tx, files(labels=("staging",)), kinds=KINDS)
        assert registered.found(tx, "prompt", "tone") is None
    with sqlite_db.write(actor) as tx:
        assert commands.push(tx, files(labels=("staging",)), kinds=KINDS) == planned


def test_what_the_server_got_meanwhile_is_a_conflict_with_a_name(
    db: Database, actor: Actor
) -> None:
    with db.write(actor) as tx:
        commands.push(tx, files(), kinds=KINDS)
        known = base(tx, "prompt", "tone")
        other = VersionDraft(spec={"format": "text", "text": "Be brief."})
        registry.create_version(tx, "prompt", "tone", other, kinds=KINDS)
    changed = entries("Be funny.", base=known)
    with pytest.raises(ServerMoved, match="prompt/tone"), db.write(actor) as tx:
        commands.push(tx, files(*changed), kinds=KINDS)
    with db.write(actor) as tx:
        assert base(tx, "prompt", "tone").number == 2
        over = commands.push(tx, files(*changed, over=True), kinds=KINDS)
        assert states(over)["prompt/tone"] == "new_version"
        untouched = prompt("tone", "Be kind.", base=known, touched=False)
        assert states(commands.plan(tx, files(untouched), kinds=KINDS)) == {
            "prompt/tone": "behind"
        }


def test_a_lock_of_another_server_says_nothing_here(sqlite_db: Database, actor: Actor) -> None:
    with sqlite_db.write(actor) as tx:
        commands.push(tx, files(), kinds=KINDS)
        known = base(tx, "evaluator", "exact")
        elsewhere = prompt("tone", "Be bold.", base=known, touched=False)
        assert states(commands.plan(tx, files(elsewhere), kinds=KINDS)) == {
            "prompt/tone": "conflict"
        }


def test_free_labels_move_and_reviewed_ones_wait(sqlite_db: Database, actor: Actor) -> None:
    given = files(labels=("staging", "production"))
    with sqlite_db.write(actor) as tx:
        done = commands.push(tx, given, kinds=KINDS)
        told = {label.label: label.proposed for one in done.files for label in one.labels}
        assert told == {"staging": False, "production": True}
        assert [one.label for one in registered.labels(tx, "prompt", "tone")] == ["staging"]


def test_a_dataset_is_its_items_whoever_brought_them(sqlite_db: Database, actor: Actor) -> None:
    with sqlite_db.write(actor) as tx:
        commands.push(tx, files(), kinds=KINDS)
        items = [*ITEMS, Item(id="c", input="Bo")]
        datasets.put(
            tx, "hello", items, kinds=KINDS, description="greetings", evaluators=["exact"]
        )
        same = files(replace(entries()[1], items=tuple(items)))
        assert states(commands.plan(tx, same, kinds=KINDS)) == {"dataset/hello": "unchanged"}


def test_what_only_people_change_is_refused(sqlite_db: Database, actor: Actor) -> None:
    with sqlite_db.write(actor) as tx:
        commands.push(tx, files(), kinds=KINDS)
        softer = replace(entries()[0], criticality=Criticality.ADVISORY)
        given = files(softer, over=True)
        with pytest.raises(ServerMoved, match="agent/greeter"):
            commands.push(tx, given, kinds=KINDS)


def test_a_file_that_is_wrong_is_named_and_nothing_is_stored(
    sqlite_db: Database, actor: Actor
) -> None:
    wrong = prompt("later", "{{ broken")
    with pytest.raises(FileRefused, match=r"prompts/later\.yaml"), sqlite_db.write(actor) as tx:
        commands.push(tx, files(*entries(), wrong), kinds=KINDS)
    with sqlite_db.read(actor) as tx:
        assert registered.counts(tx) == {}


def test_another_project_is_another_place(
    sqlite_db: Database, actor: Actor, make_actor: MakeActor
) -> None:
    with sqlite_db.write(actor) as tx:
        commands.push(tx, files(), kinds=KINDS)
    with sqlite_db.write(make_actor("author", project="other")) as tx:
        planned = commands.plan(tx, files(entries()[-1]), kinds=KINDS)
        assert states(planned) == {"evaluator/exact": "create"}
        assert planned.only_there == ()
