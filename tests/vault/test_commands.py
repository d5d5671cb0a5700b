"""Keeping, rotating, opening and removing secrets, on both engines."""

import logging
from datetime import timedelta

import pytest
from sqlalchemy import text, update
from tests.channels.world import Receiver
from tests.conftest import MakeActor
from tests.keyring import KEYRING
from tests.vault.world import call

from opsroom.app.kinds import KINDS
from opsroom.contracts.citing import executed_in
from opsroom.contracts.model import ContractSpec, Http, Tier
from opsroom.engines.http_actions import HttpExecutor
from opsroom.journal import queries as journal
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database
from opsroom.kit.sealing import Keyring, SealBroken, SealedByAnother, new_key
from opsroom.registry import ArtifactDraft, VersionDraft
from opsroom.registry import commands as registry
from opsroom.vault import SecretElsewhere, SecretMissing, commands, queries, store, within
from opsroom.vault.errors import SecretNotFound
from opsroom.vault.model import SecretDraft
from opsroom.vault.opening import Vault

ERP = "https://erp.example.com"
VALUE = "erp-canary-7d1f60c2"


@pytest.fixture
def ann(make_actor: MakeActor) -> Actor:
    return make_actor("admin", name="ann")


def put(
    db: Database, actor: Actor, *places: str, value: str = VALUE, name: str = "erp"
) -> None:
    with db.write(actor) as tx:
        commands.put(tx, name, SecretDraft(value=value, places=places or (ERP,)))


def test_what_is_set_is_opened_for_its_place_and_never_lies_in_the_open(
    db: Database, ann: Actor, clock: ManualClock
) -> None:
    put(db, ann)
    vault = Vault(db, {})
    assert vault(within("secret:erp", "default")).at(f"{ERP}/v1").value == VALUE
    with pytest.raises(SecretElsewhere):
        vault("secret:default/erp").at("https://erp.example.org")
    with db.read(ann) as tx:
        known = queries.view(tx, "erp")
        assert known.secret.last_used_at == clock.now()
        assert known.used_by == ()
        assert VALUE not in str(tx.conn.execute(text("SELECT * FROM secrets")).all())
        told = [one for one, _ in journal.entries(tx, event="secret.set", limit=50)]
        assert [one.facts["places"] for one in told] == [[ERP]]
        assert VALUE not in str(told)


def test_other_projects_do_not_reach_it(
    db: Database, ann: Actor, make_actor: MakeActor
) -> None:
    put(db, ann)
    vault = Vault(db, {})
    with pytest.raises(SecretMissing):
        vault(within("secret:erp", "other"))
    with pytest.raises(SecretMissing):
        vault(within("secret:default/erp", "other"))
    with db.read(make_actor("admin", project="other")) as tx:
        assert queries.secrets(tx) == []


def test_other_places_need_the_value_again(db: Database, ann: Actor) -> None:
    """S2: a secret does not follow a connection that moves, nor one who edits the database."""
    put(db, ann)
    with db.write(ann) as tx:
        tx.conn.execute(update(store.secrets).values(places='["https://evil.example"]'))
    with pytest.raises(SealBroken):
        Vault(db, {})("secret:default/erp")
    put(db, ann, "https://new.example.com", value="another-value")
    opened = Vault(db, {})("secret:default/erp")
    assert opened.at("https://new.example.com").value == "another-value"
    with pytest.raises(SecretElsewhere):
        opened.at(ERP)


def test_a_row_moved_to_another_name_or_project_does_not_open(
    sqlite_db: Database, ann: Actor
) -> None:
    put(sqlite_db, ann)
    for change in ({"name": "other"}, {"project": "other"}):
        with sqlite_db.write(ann) as tx:
            tx.conn.execute(update(store.secrets).values(**change))
    with pytest.raises(SealBroken):
        Vault(sqlite_db, {})("secret:other/other")


def test_rotation_keeps_the_places_and_removal_is_at_once(db: Database, ann: Actor) -> None:
    put(db, ann)
    with db.write(ann) as tx:
        now = commands.rotate(tx, "erp", "second-value")
    assert (now.places, now.revision) == ((ERP,), 2)
    vault = Vault(db, {})
    assert vault("secret:default/erp").at(ERP).value == "second-value"
    with db.write(ann) as tx:
        commands.remove(tx, "erp")
    with pytest.raises(SecretMissing):
        vault("secret:default/erp")
    with db.write(ann) as tx, pytest.raises(SecretNotFound):
        commands.rotate(tx, "erp", "third")


def test_another_master_key_opens_nothing(sqlite_db: Database, ann: Actor) -> None:
    put(sqlite_db, ann)
    sqlite_db.keyring = Keyring((new_key(),))
    with pytest.raises(SealedByAnother):
        Vault(sqlite_db, {})("secret:default/erp")
    sqlite_db.keyring = Keyring((new_key(), *KEYRING.keys))
    assert Vault(sqlite_db, {})("secret:default/erp").key(ERP) == VALUE


def test_uses_are_noted_to_the_minute(
    sqlite_db: Database, ann: Actor, clock: ManualClock
) -> None:
    put(sqlite_db, ann)
    vault, seen = Vault(sqlite_db, {}), []
    for wait in (0, 30, 40):
        clock.move(timedelta(seconds=wait))
        vault("secret:default/erp")
        with sqlite_db.read(ann) as tx:
            seen.append(queries.secret(tx, "erp").last_used_at)
    assert seen[0] == seen[1] != seen[2] == clock.now()


def test_who_cites_it_is_found(db: Database, ann: Actor) -> None:
    put(db, ann)
    put(db, ann, name="erp-2")
    spec = {
        "to": {"kind": "webhook", "url": f"{ERP}/hook", "secret": "secret:erp"},
        "events": ["alert.opened"],
    }
    with db.write(ann) as tx:
        registry.create_artifact(tx, ArtifactDraft(kind="channel", name="ops"), kinds=KINDS)
        registry.create_version(tx, "channel", "ops", VersionDraft(spec=spec), kinds=KINDS)
    with db.read(ann) as tx:
        assert [one.ref for one in queries.used_by(tx, "erp")] == ["channel/ops@1"]
        assert queries.used_by(tx, "erp-2") == ()


def contract(url: str, secret: str = "secret:erp") -> ContractSpec:
    return ContractSpec(
        tool="order",
        description="Orders.",
        risk=Tier.WRITE,
        executor=Http(method="POST", url=url, secret=secret),
    )


def test_an_action_sends_it_to_its_place_and_takes_it_out_of_the_answer(
    sqlite_db: Database, ann: Actor, here: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    put(sqlite_db, ann, here.url)
    by = HttpExecutor(allow=(here.host,), secrets=Vault(sqlite_db, {}))
    here.next(200, f'{{"you sent": "Bearer {VALUE}"}}'.encode())
    done = by.execute(executed_in(contract(f"{here.url}/o"), "default"), call(), timeout=5)
    assert here.seen[0][0]["Authorization"] == f"Bearer {VALUE}"
    assert done.result == {"you sent": "Bearer [redacted:secret]"}
    here.next(401, f"bad token {VALUE}".encode())
    refused = by.execute(executed_in(contract(f"{here.url}/o"), "default"), call(), timeout=5)
    assert VALUE not in refused.error
    here.next(302, b"", Location="http://127.0.0.1:1/elsewhere")
    moved = by.execute(executed_in(contract(f"{here.url}/o"), "default"), call(), timeout=5)
    assert moved.state == "not_happened"
    assert VALUE not in caplog.text


def test_an_action_of_a_contract_that_moved_is_not_sent(
    sqlite_db: Database, ann: Actor, here: Receiver
) -> None:
    put(sqlite_db, ann)
    by = HttpExecutor(allow=(here.host,), secrets=Vault(sqlite_db, {}))
    spec = executed_in(contract(f"{here.url}/o"), "default")
    effect = by.execute(spec, call(), timeout=5)
    assert (effect.state, here.seen) == ("not_happened", [])
    assert "may not go to" in effect.error
    unscoped = by.execute(contract(f"{here.url}/o"), call(), timeout=5)
    assert unscoped.state == "not_happened"


def test_a_rotation_seals_for_no_place_that_somebody_wrote_into_the_database(
    sqlite_db: Database, ann: Actor
) -> None:
    put(sqlite_db, ann)
    with sqlite_db.write(ann) as tx:
        tx.conn.execute(update(store.secrets).values(places='["https://evil.example"]'))
    with sqlite_db.write(ann) as tx, pytest.raises(SealBroken):
        commands.rotate(tx, "erp", "second-value")
