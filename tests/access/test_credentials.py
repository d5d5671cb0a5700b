"""Tokens, links, sessions and passwords: what opens the door, and what does not any more."""

import random
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from opsroom.access import WrongCredentials, commands, store
from opsroom.access.errors import NameTaken, NoSuchToken, NoSuchUser, UnknownRole, WeakPassword
from opsroom.access.model import ROLES, Role, fingerprint, matches, permissions_of, split_token
from opsroom.journal import queries as journal
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database, NotStorable, Raced

SYSTEM = Actor("system", "default", human=False)
PASSWORD = "correct horse battery"
HOSTILE = [
    "",
    " ",
    "ops_",
    "ops_0123456789ab",
    "ops_0123456789ab_",
    "ops_0123456789ab_" + "0" * 47,
    "ops_0123456789ab_" + "0" * 49,
    "OPS_0123456789AB_" + "0" * 48,
    "ops_0123456789ab_" + "0" * 47 + "٠",
    "ops_0123456789ab_" + "0" * 48 + "\n",
    "ops_0123456789ab_" + "0" * 24 + "\0" + "0" * 23,
    "ops_' OR '1'='1_" + "0" * 48,
    "' OR 1=1 --",
    "*)(uid=*))(|(uid=*",
    "%s%n{0}${jndi:ldap://x}",
    "\0",
    "\ud800",
    "é" * 1000,
    "ops_" * 2_500_000,
    "0" * 10_000_000,
]


def add_user(db: Database, name: str, *roles: str, password: str | None = None) -> None:
    with db.write(SYSTEM) as tx:
        commands.create_user(tx, name, roles, password)


def token(db: Database, *roles: str, **how: object) -> str:
    with db.write(SYSTEM) as tx:
        return commands.issue_token(tx, "ci", roles, **how)[1]  # type: ignore[arg-type]  # expires_at


def log_in(db: Database, name: str, password: str = PASSWORD) -> str:
    with db.write(SYSTEM) as tx:
        return commands.log_in(tx, name, password)


def follow(db: Database, link: str) -> str:
    with db.write(SYSTEM) as tx:
        return commands.follow_link(tx, link)


def link_for(db: Database, name: str) -> str:
    with db.write(SYSTEM) as tx:
        return commands.issue_link(tx, name)


def by_token(db: Database, text: str) -> Actor:
    with db.read(SYSTEM) as tx:
        return commands.actor_of_token(tx, text)


def by_session(db: Database, secret: str) -> Actor:
    with db.read(SYSTEM) as tx:
        return commands.actor_of_session(tx, secret)


def opens_nothing(run: Callable[[], object]) -> None:
    with pytest.raises(WrongCredentials):
        run()


def test_a_token_is_a_program_with_its_roles(db: Database) -> None:
    who = by_token(db, token(db, "author", "agent"))
    assert (who.name, who.project, who.human) == ("token:ci", "default", False)
    assert who.may == permissions_of(("author", "agent"))
    assert "review" not in who.may


def test_the_database_knows_no_secret(db: Database) -> None:
    add_user(db, "ada", "author", password=PASSWORD)
    texts = [token(db, "author").split("_")[2], link_for(db, "ada")]
    texts += [follow(db, link_for(db, "ada")), log_in(db, "ada"), PASSWORD]
    with db.read(SYSTEM) as tx:
        for table in (store.tokens, store.sessions, store.users):
            stored = str(tx.conn.execute(select(table)).all())
            assert not any(text in stored for text in texts)
        assert not any(text in str(list(journal.chain(tx))) for text in texts)
        assert str(store.password_of(tx, "ada")).startswith("$argon2id$")


def test_a_token_ends_when_it_expires_or_is_revoked(db: Database, clock: ManualClock) -> None:
    short = token(db, "author", expires_at=clock.now() + timedelta(hours=1))
    long = token(db, "author")
    clock.move(timedelta(minutes=59))
    assert by_token(db, short).name == "token:ci"
    clock.move(timedelta(minutes=1))
    opens_nothing(lambda: by_token(db, short))
    with db.write(SYSTEM) as tx:
        found = store.token_by_prefix(tx, long.split("_")[1])
        assert found is not None
        for _ in range(2):
            commands.revoke_token(tx, found[0].id)
    opens_nothing(lambda: by_token(db, long))
    with db.read(SYSTEM) as tx:
        assert len(journal.entries(tx, event="token.revoked")) == 1


def test_a_token_of_another_project_is_not_there(
    db: Database, make_actor: Callable[..., Actor]
) -> None:
    text = token(db, "author")
    with db.read(SYSTEM) as tx:
        mine = store.tokens_here(tx)[0]
    with db.write(make_actor("admin", project="elsewhere")) as tx:
        assert store.tokens_here(tx) == []
        with pytest.raises(NoSuchToken):
            commands.revoke_token(tx, mine.id)
    assert by_token(db, text).project == "default"


def test_one_wrong_digit_opens_nothing(db: Database) -> None:
    text = token(db, "admin")
    for at in range(4, len(text)):
        if text[at] != "_":
            wrong = text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1 :]
            opens_nothing(lambda wrong=wrong: by_token(db, wrong))  # type: ignore[misc]  # bound now


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:30]))
def test_hostile_text_opens_nothing_and_breaks_nothing(db: Database, text: str) -> None:
    token(db, "admin")
    opens_nothing(lambda: by_token(db, text))
    opens_nothing(lambda: by_session(db, text))
    opens_nothing(lambda: follow(db, text))


@given(st.text())
def test_only_what_we_made_looks_like_a_token(text: str) -> None:
    assert split_token(text) is None
    assert split_token(f"ops_{text}_{'0' * 48}") is None or set(text) <= set("0123456789abcdef")


def test_secrets_are_compared_whole_and_in_constant_time() -> None:
    stored = fingerprint("right")
    assert matches("right", stored)
    assert not any(
        matches(wrong, stored) for wrong in ("", "righ", "right ", "Right", stored, "\ud800")
    )
    assert "compare_digest" in matches.__code__.co_names


def test_a_link_opens_the_door_once_and_not_for_long(db: Database, clock: ManualClock) -> None:
    add_user(db, "ada", "author")
    link = link_for(db, "ada")
    opens_nothing(lambda: by_session(db, link))
    session = follow(db, link)
    assert by_session(db, session).name == "ada"
    opens_nothing(lambda: follow(db, link))
    opens_nothing(lambda: follow(db, session))
    late = link_for(db, "ada")
    clock.move(timedelta(minutes=30))
    opens_nothing(lambda: follow(db, late))


def test_of_many_who_follow_a_link_at_once_one_gets_in(db: Database) -> None:
    add_user(db, "ada", "author")
    link = link_for(db, "ada")
    ready = Barrier(6)

    def run(_: int) -> str | None:
        ready.wait()
        try:
            return follow(db, link)
        except WrongCredentials:
            return None

    with ThreadPoolExecutor(6) as pool:
        sessions = [one for one in pool.map(run, range(6)) if one]
    assert len(sessions) == 1
    assert by_session(db, sessions[0]).name == "ada"


def test_a_session_is_new_each_time_and_ends(db: Database, clock: ManualClock) -> None:
    add_user(db, "ada", "author", password=PASSWORD)
    one, other = log_in(db, "ada"), log_in(db, "ada")
    assert one != other
    with db.write(by_session(db, one)) as tx:
        for _ in range(2):
            commands.log_out(tx, one)
    opens_nothing(lambda: by_session(db, one))
    assert by_session(db, other).name == "ada"
    clock.move(commands.SESSION_FOR)
    opens_nothing(lambda: by_session(db, other))


def test_roles_hold_from_the_next_look_on(db: Database) -> None:
    add_user(db, "ada", "admin", password=PASSWORD)
    add_user(db, "root", "admin")  # so that somebody is left
    session = log_in(db, "ada")
    assert "administer" in by_session(db, session).may
    with db.write(SYSTEM) as tx:
        commands.set_roles(tx, "ada", ("viewer",))
    assert by_session(db, session).may == ROLES[Role.VIEWER]
    with db.write(SYSTEM) as tx:
        commands.set_roles(tx, "ada", ())
    assert by_session(db, session).may == frozenset()
    with db.read(SYSTEM) as tx:
        told = journal.entries(tx, event="user.roles_set")
    assert [entry.facts for entry, _ in told] == [
        {"before": ["viewer"], "after": []},
        {"before": ["admin"], "after": ["viewer"]},
    ]


def test_passwords_open_only_their_own_door(sqlite_db: Database) -> None:
    db = sqlite_db
    add_user(db, "ada", "author", password=PASSWORD)
    add_user(db, "bob", "author", password="another one entirely")
    add_user(db, "eve", "author")
    assert by_session(db, log_in(db, "ada")).name == "ada"
    for name, password in (
        ("ada", PASSWORD + " "),
        ("ada", "\0\ud800"),
        ("bob", PASSWORD),
        ("eve", ""),
        ("nobody", PASSWORD),
    ):
        opens_nothing(lambda name=name, password=password: log_in(db, name, password))  # type: ignore[misc]  # bound now
    with pytest.raises(NotStorable):
        log_in(db, "ada\ud800")
    with db.write(SYSTEM) as tx:
        commands.set_password(tx, "ada", "three unrelated words")
    opens_nothing(lambda: log_in(db, "ada"))
    assert log_in(db, "ada", "three unrelated words")


def test_passwords_and_roles_are_checked_when_they_are_given(db: Database) -> None:
    with db.write(SYSTEM) as tx:
        with pytest.raises(WeakPassword):
            commands.create_user(tx, "ada", ("author",), "eleven char")
        with pytest.raises(UnknownRole):
            commands.create_user(tx, "ada", ("author", "root"))
        with pytest.raises(UnknownRole):
            commands.issue_token(tx, "ci", ("Admin",))
        with pytest.raises(NoSuchUser):
            commands.set_roles(tx, "ada", ("author",))
        with pytest.raises(NoSuchUser):
            commands.issue_link(tx, "ada")
        commands.create_user(tx, "ada", ("author",))
        with pytest.raises(NameTaken):
            commands.create_user(tx, "ada", ("admin",))


def test_the_first_run_happens_once_however_many_start(db: Database) -> None:
    ready = Barrier(4)

    def run(_: int) -> str | None:
        ready.wait()
        with db.write(SYSTEM) as tx:
            return commands.first_run(tx)

    with ThreadPoolExecutor(4) as pool:
        links = [link for link in pool.map(run, range(4)) if link]
    assert len(links) == 1
    admin = by_session(db, follow(db, links[0]))
    assert (admin.name, admin.roles, admin.human) == ("admin", ("admin",), True)
    with db.write(SYSTEM) as tx:
        assert commands.first_run(tx) is None
    with db.read(SYSTEM) as tx:
        assert tx.conn.execute(select(func.count()).select_from(store.users)).scalar() == 1
        assert store.password_of(tx, "admin") is None


def test_two_users_of_one_name_made_at_once_are_one(db: Database) -> None:
    ready = Barrier(4)

    def run(_: int) -> bool:
        ready.wait()
        try:
            add_user(db, "ada", "author")
        except (NameTaken, Raced):
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(run, range(4))) == 1


def strikingly(compare: Callable[[str], object], secret: str) -> float:
    """Welch's t of how long wrong secrets take that differ in the first or in the last digit.

    Where a string lies in memory makes a difference of its own that no number of calls averages
    out, so there are many of each kind, and each counts once: with the mean of its faster half.
    """
    wrong = [(early, _wrong(secret, early=early)) for early in (True, False) * 300]
    times: list[list[int]] = [[] for _ in wrong]
    order = list(range(len(wrong)))
    draw = random.Random(5)
    for _ in range(300):
        draw.shuffle(order)
        for place in order:
            text = wrong[place][1]
            started = time.perf_counter_ns()
            compare(text)
            times[place].append(time.perf_counter_ns() - started)
    found: dict[bool, list[float]] = {True: [], False: []}
    for (early, _), of in zip(wrong, times, strict=True):
        found[early].append(statistics.mean(sorted(of)[: len(of) // 2]))
    one, other = found[True], found[False]
    spread = statistics.variance(one) / len(one) + statistics.variance(other) / len(other)
    return float((statistics.mean(one) - statistics.mean(other)) / spread**0.5)


def _wrong(secret: str, *, early: bool) -> str:
    return "".join(["b", secret[1:]] if early else [secret[:-1], "b"])


@pytest.mark.slow
def test_how_long_a_comparison_takes_says_nothing_about_the_secret() -> None:
    """Z4; a comparison that stops at the first difference is told apart."""
    secret = "a" * 48
    stored = fingerprint(secret)
    assert abs(strikingly(lambda wrong: matches(wrong, stored), secret)) < 4.5

    def hasty(wrong: str) -> bool:
        return all(one == other for one, other in zip(wrong, secret, strict=True))

    assert strikingly(hasty, secret) < -4.5
