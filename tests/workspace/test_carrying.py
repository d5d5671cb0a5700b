"""A project carried elsewhere: the same digests and labels there, or nothing at all."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.api import Api
from tests.conftest import MakeActor
from tests.workspace.test_archive import whole
from tests.workspace.world import entries, files

from opsroom.access import ruling
from opsroom.access.errors import AccessDenied, OnlyPeople
from opsroom.access.rules import AccessRules
from opsroom.app.kinds import KINDS
from opsroom.journal import queries as journal
from opsroom.kit import faults
from opsroom.kit.canonical import canonical, digest
from opsroom.kit.db import Actor, Database, Tx
from opsroom.kit.errors import OpsroomError
from opsroom.registry import Artifact, Ref, VersionDraft, environments, restoring
from opsroom.registry import commands as registry
from opsroom.registry import queries as registered
from opsroom.registry.errors import NotMover, NotRestorable
from opsroom.registry.model import Environment
from opsroom.registry.restoring import IMPORTED, KeptArtifact
from opsroom.workspace import archive, carrying, commands
from opsroom.workspace.carrying import Import
from opsroom.workspace.errors import ArchiveRefused, ProjectDiffers


@pytest.fixture
def there(make_actor: MakeActor) -> Actor:
    """Whoever administers another project, which is as empty as another server."""
    return make_actor("admin", name="tia", project="there")


def fill(db: Database, admin: Actor) -> bytes:
    """A project with history: labels that moved and came back, something put away."""
    with db.write(admin) as tx:
        commands.push(tx, files(labels=("staging",)), kinds=KINDS)
        tone = registered.artifact(tx, "prompt", "tone")
        second = VersionDraft(spec={"format": "text", "text": "Be brief."}, author="grace")
        registry.create_version(tx, "prompt", "tone", second, kinds=KINDS)
        registry.move_label(tx, tone, "production", 1, how="merge", reason="first")
        registry.move_label(tx, tone, "production", 2, how="release", reason="better")
        registry.roll_back(tx, "prompt", "tone", "production", reason="worse")
        registry.archive(
            tx, registered.artifact(tx, "evaluator", "exact"), reason="nobody needs it"
        )
    return exported(db, admin)


def bring(db: Database, who: Actor, packed: bytes) -> Import:
    manifest = carrying.check(packed, kinds=KINDS)
    with db.write(who) as tx:
        return carrying.take_in(tx, packed, manifest, kinds=KINDS)


def exported(db: Database, who: Actor) -> bytes:
    with db.read(who) as tx:
        return carrying.export(tx, kinds=KINDS)[1]


def test_out_and_in_and_out_again_is_the_same(db: Database, admin: Actor, there: Actor) -> None:
    packed = fill(db, admin)
    done = bring(db, there, packed)
    assert done.whole
    assert {one.stands.value for one in done.artifacts} == {"new"}
    assert exported(db, there) == packed
    with db.read(there) as tx:
        assert registered.version(tx, Ref("prompt", "tone", "production")).number == 1
        moves = registered.label_history(tx, "prompt", "tone", "production")
        assert [one.how for one in moves] == ["rollback", "release", "merge"]
        assert {one.by for one in moves} == {f"{IMPORTED}root"}
        version = registered.version(tx, Ref("prompt", "tone", "2"))
        assert (version.author, version.made_by) == ("grace", "tia")


def test_the_same_again_changes_nothing(
    sqlite_db: Database, admin: Actor, there: Actor
) -> None:
    packed = fill(sqlite_db, admin)
    bring(sqlite_db, there, packed)
    with sqlite_db.read(there) as tx:
        before = journal.head(tx).seq
    again = bring(sqlite_db, there, packed)
    assert {one.stands.value for one in again.artifacts} == {"same"}
    with sqlite_db.read(there) as tx:
        assert journal.head(tx).seq == before


def test_a_plan_says_what_an_import_does(
    sqlite_db: Database, admin: Actor, there: Actor
) -> None:
    packed = fill(sqlite_db, admin)
    manifest = carrying.check(packed, kinds=KINDS)
    with sqlite_db.write(there) as tx:
        planned = carrying.plan(tx, packed, manifest, kinds=KINDS)
        assert registered.counts(tx) == {}
    assert bring(sqlite_db, there, packed) == planned


def test_other_versions_there_are_named_and_nothing_is_stored(
    db: Database, admin: Actor, there: Actor
) -> None:
    packed = fill(db, admin)
    with db.write(there) as tx:
        commands.push(tx, files(entries("Be loud.")[3]), kinds=KINDS)
    with pytest.raises(ProjectDiffers, match=r"prompt/tone$"):
        bring(db, there, packed)
    with db.read(there) as tx:
        assert registered.counts(tx) == {"prompt": 1}


def test_a_project_that_is_behind_goes_on_and_keeps_its_reviewed_labels(
    sqlite_db: Database, admin: Actor, there: Actor
) -> None:
    packed = fill(sqlite_db, admin)
    with sqlite_db.write(there) as tx:
        commands.push(tx, files(entries()[3]), kinds=KINDS)
    done = {one.ref: one for one in bring(sqlite_db, there, packed).artifacts}
    tone = done["prompt/tone"]
    assert (tone.stands.value, tone.versions) == ("grows", 1)
    assert (tone.labels, tone.held) == ({"staging": 1}, {"production": 1})
    with sqlite_db.read(there) as tx:
        assert registered.label(tx, "prompt", "tone", "production") is None
    ahead = {
        one.ref: one for one in bring(sqlite_db, admin, exported(sqlite_db, there)).artifacts
    }
    assert not any(one.versions for one in ahead.values())


@pytest.mark.parametrize("place", ["workspace.versions", "workspace.imported"])
def test_an_import_that_is_stopped_leaves_nothing(
    sqlite_db: Database, admin: Actor, there: Actor, place: str
) -> None:
    packed = fill(sqlite_db, admin)

    def stop() -> None:
        raise KeyboardInterrupt

    faults.arm(place, stop)
    with pytest.raises(KeyboardInterrupt):
        bring(sqlite_db, there, packed)
    faults.disarm()
    with sqlite_db.read(there) as tx:
        assert registered.counts(tx) == {}
    assert exported(sqlite_db, admin) == packed


def test_a_program_brings_no_reviewed_label_past_their_protection(
    sqlite_db: Database, admin: Actor, there: Actor, make_actor: MakeActor
) -> None:
    packed = fill(sqlite_db, admin)
    with sqlite_db.write(there) as tx:
        ruling.set_rules(tx, AccessRules(protected_labels=("production",)))
    program = make_actor("admin", name="token:ci", project="there", human=False)
    with pytest.raises(OnlyPeople):
        bring(sqlite_db, program, packed)


def artifact(**rest: Any) -> dict[str, Any]:
    told = {
        "kind": "prompt", "name": "tone", "owner": "eve", "purpose": "", "tags": [], "moves": [],
        "criticality": "advisory", "archived": False, "versions": 1,
    }  # fmt: skip
    return told | rest


def version(spec: dict[str, Any], **rest: Any) -> dict[str, Any]:
    told = {
        "number": 1, "digest": digest(spec), "spec": spec, "author": "eve", "message": "",
        "source": None, "created_at": "2026-11-20T00:00:00Z",
    }  # fmt: skip
    return told | rest


def move(**rest: Any) -> dict[str, Any]:
    told = {
        "label": "staging", "revision": 1, "before": None, "after": 1, "how": "set",
        "reason": "", "by": "eve", "at": "2026-11-20T00:00:00Z",
    }  # fmt: skip
    return told | rest


def made(*records: dict[str, Any]) -> bytes:
    lines = b"".join(canonical(one) + b"\n" for one in records)
    count = sum("versions" in one for one in records)
    return whole(registry=lines, artifacts=count, versions=len(records) - count)


TEXT = {"format": "text", "text": "Be kind."}
CITING = {"format": "text", "text": "{% include 'x' %}", "includes": {"x": "tone"}}
ELSEWHERE = {"format": "text", "text": "{% include 'x' %}", "includes": {"x": "other@1"}}
ITEM = {"id": "a", "hash": "zz", "split": "test"}
FALSE: dict[str, Callable[[], bytes]] = {
    "another digest": lambda: made(artifact(), version(TEXT, digest="0" * 64)),
    "a version is missing": lambda: made(artifact(), version(TEXT, number=2)),
    "versions are missing": lambda: made(artifact(versions=2), version(TEXT)),
    "no versions at all": lambda: made(artifact(versions=10**9)),
    "one more version": lambda: made(artifact(versions=0), version(TEXT)),
    "described twice": lambda: made(artifact(versions=0), artifact(versions=0)),
    "unknown kind": lambda: made(artifact(kind="virus", versions=0)),
    "a name that climbs": lambda: made(artifact(name="../../x", versions=0)),
    "an unknown field": lambda: made(artifact(versions=0, approved_by="eve")),
    "no spec of the kind": lambda: made(artifact(), version({"text": 7})),
    "a label of no version": lambda: made(artifact(moves=[move(after=2)]), version(TEXT)),
    "a label that is computed": lambda: made(
        artifact(moves=[move(label="latest")]), version(TEXT)
    ),
    "steps that are missing": lambda: made(artifact(moves=[move(revision=2)]), version(TEXT)),
    "steps that jump": lambda: made(artifact(moves=[move(before=1)]), version(TEXT)),
    "an unknown way": lambda: made(artifact(moves=[move(how="magic")]), version(TEXT)),
    "items without content": lambda: made(
        artifact(kind="dataset", name="hello"), version({"items": [ITEM]})
    ),
}


@pytest.mark.parametrize("case", FALSE)
def test_what_no_registry_wrote_is_refused_before_anything_is_stored(case: str) -> None:
    with pytest.raises(ArchiveRefused):
        carrying.check(FALSE[case](), kinds=KINDS)


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        (CITING, "not_restorable"),
        (ELSEWHERE, "artifact_not_found"),
        ({"format": "text", "text": "{{ broken"}, "prompt_template_broken"),
        ({"format": "text", "text": "key AKIAZ7QWERTYUIOPASDF"}, "secret_in_version"),
    ],
    ids=["what may change", "what is not there", "what cannot be rendered", "a secret"],
)
def test_no_version_comes_in_that_could_not_be_made_here(
    sqlite_db: Database, there: Actor, spec: dict[str, Any], code: str
) -> None:
    packed = made(
        artifact(moves=[move(label="production")]),
        version(TEXT),
        artifact(name="citing"),
        version(spec),
    )
    with pytest.raises(OpsroomError) as refused:
        bring(sqlite_db, there, packed)
    assert refused.value.code == code
    with sqlite_db.read(there) as tx:
        assert registered.counts(tx) == {}


def test_over_http_only_administrators_carry_and_bombs_are_refused(sqlite_api: Api) -> None:
    author, admin = sqlite_api.program("author"), sqlite_api.program("admin")
    assert author.refused("POST", "/v1/workspace/export").code == "may_not"
    answer = admin.send("POST", "/v1/workspace/export")
    assert answer.status_code == 200
    assert (
        archive.read_manifest(answer.content).digest
        == (answer.headers["Opsroom-Workspace-Digest"])
    )
    kind = {"Content-Type": "application/gzip"}
    done = admin.send("POST", "/v1/workspace/import", content=answer.content, headers=kind)
    assert done.json()["artifacts"] == []
    refused = admin.refused("POST", "/v1/workspace/import", content=b"PK", headers=kind)
    assert (refused.code, refused.status, refused.exit_code) == ("archive_refused", 422, 2)


def test_no_two_versions_come_from_one_source(sqlite_db: Database, there: Actor) -> None:
    second = version({"format": "text", "text": "Be brief."}, number=2, source="a.md@1")
    packed = made(artifact(versions=2), version(TEXT, source="a.md@1"), second)
    with pytest.raises(NotRestorable, match="source"):
        bring(sqlite_db, there, packed)


def test_an_empty_project_has_its_rules_about_labels_already(
    sqlite_db: Database, there: Actor, make_actor: MakeActor
) -> None:
    packed = made(artifact(moves=[move()]), version(TEXT))
    with sqlite_db.write(there) as tx:
        ruling.set_rules(tx, AccessRules(protected_labels=("staging",)))
    program = make_actor("admin", name="token:ci", project="there", human=False)
    with pytest.raises(AccessDenied):
        bring(sqlite_db, program, packed)
    with sqlite_db.write(there) as tx:
        staging = Environment(name="staging", position=1, movers=("reviewer",))
        environments.set_environment(tx, staging)
    with pytest.raises(NotMover):
        bring(sqlite_db, there, packed)
    bring(sqlite_db, make_actor("admin", "reviewer", name="rae", project="there"), packed)


def test_what_goes_on_elsewhere_is_needed_here_again(sqlite_db: Database, there: Actor) -> None:
    bring(sqlite_db, there, made(artifact(), version(TEXT)))
    with sqlite_db.write(there) as tx:
        registry.archive(tx, registered.artifact(tx, "prompt", "tone"), reason="unused")
    second = version({"format": "text", "text": "Be brief."}, number=2)
    for put_away in (True, False):
        packed = made(artifact(versions=2, archived=put_away), version(TEXT), second)
        if put_away:
            manifest = carrying.check(packed, kinds=KINDS)
            with sqlite_db.write(there) as tx, tx.undone():
                carrying.take_in(tx, packed, manifest, kinds=KINDS)
                assert registered.artifact(tx, "prompt", "tone").archived_at
        else:
            bring(sqlite_db, there, packed)
    with sqlite_db.read(there) as tx:
        assert registered.artifact(tx, "prompt", "tone").archived_at is None


def test_an_export_is_of_one_moment(
    db: Database, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(db, admin)
    kept = restoring.kept

    def meanwhile(tx: Tx, of: Artifact) -> KeptArtifact:
        told = kept(tx, of)
        if of.name == "tone":
            with db.write(admin) as other:
                draft = VersionDraft(spec={"format": "text", "text": "Be calm."})
                registry.create_version(other, of.kind, of.name, draft, kinds=KINDS)
        return told

    monkeypatch.setattr(restoring, "kept", meanwhile)
    carrying.check(exported(db, admin), kinds=KINDS)
