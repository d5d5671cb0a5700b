"""Many who speak at once: one voice counts once, and says no more than it may."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from threading import Barrier

from tests.feedback.world import APP, CLEAN, SYSTEM, hire, turn

from opsroom.feedback import commands, queries
from opsroom.feedback.commands import Refused
from opsroom.feedback.model import PER_USER, Feedback, FeedbackDraft, Source, State
from opsroom.feedback.placing import Desk
from opsroom.kit.db import Database

AT_ONCE = 6


def together(db: Database, drafts: list[list[FeedbackDraft]]) -> list[Feedback]:
    """Somebody sends each list, all beginning at the same moment; one transaction a draft."""
    ready = Barrier(len(drafts))

    def send(mine: list[FeedbackDraft]) -> list[Feedback | Refused]:
        ready.wait()
        done = list[Feedback | Refused]()
        for draft in mine:
            with db.write(APP) as tx:
                done.append(commands.give(tx, draft, clean=CLEAN))
        return done

    with ThreadPoolExecutor(len(drafts)) as pool:
        found = [one for done in pool.map(send, drafts) for one in done]
    assert not any(isinstance(one, Refused) for one in found)
    return [one for one in found if isinstance(one, Feedback)]


def counted(db: Database, **asked: object) -> list[Feedback]:
    with db.read(SYSTEM) as tx:
        return queries.page(tx, counted=True, limit=500, **asked)  # type: ignore[arg-type]


def test_one_voice_counts_once(db: Database) -> None:
    hire(db)
    one = turn(db, trace="ab" * 16)
    subjects = (f"turn/{one.id}", f"trace/{'ab' * 16}")
    said = [
        [FeedbackDraft(subject=subjects[n % 2], by="bo", helpful=True)] for n in range(AT_ONCE)
    ]
    together(db, said)
    assert len(counted(db, by="bo")) == 1


def test_one_result_counts_whoever_reports_it(db: Database) -> None:
    result = FeedbackDraft(
        subject="turn/x", source=Source.BUSINESS, kpi="csat", value=Decimal(4)
    )
    said = [[replace(result, by=f"system-{n}")] for n in range(AT_ONCE)]
    together(db, said)
    assert len(counted(db, kpi="csat")) == 1


def test_a_flood_from_many_sides_is_one_flood(db: Database) -> None:
    said = [
        [
            FeedbackDraft(subject=f"trace/{n}-{number}", by="mallory", helpful=False)
            for number in range(8)
        ]
        for n in range(AT_ONCE)
    ]
    made = together(db, said)
    assert len(made) == 8 * AT_ONCE > PER_USER
    assert sum(one.state is State.ACCEPTED for one in made) == PER_USER
    assert counted(db, by="mallory") == []


def test_the_same_key_at_once_says_it_once(db: Database) -> None:
    one = FeedbackDraft(subject="trace/x", by="bo", helpful=True, key="k")
    made = together(db, [[one] for _ in range(AT_ONCE)])
    assert len({done.id for done in made}) == 1


def test_batches_that_cross_do_not_wait_for_each_other(db: Database) -> None:
    """Each holds a voice that the other wants, unless both take them in one order."""
    ready = Barrier(2)

    def send(order: list[str]) -> int:
        ready.wait()
        kept = 0
        for round_ in range(10):
            drafts = [
                FeedbackDraft(subject=f"trace/{round_}", by=by, helpful=True) for by in order
            ]
            with db.write(APP) as tx:
                done = commands.give_some(tx, drafts, desk=Desk(CLEAN))
            kept += sum(isinstance(one, Feedback) for one in done)
        return kept

    names = [f"user-{n}" for n in range(20)]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(send, [names, names[::-1]])) == [200, 200]
