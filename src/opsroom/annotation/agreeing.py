"""Do people agree about what agents did? Seats are compared, not persons: the first reviewer
of each task with the second.

Rate and interval count every task that two people labelled, disputes too. κ and the table rest
on settled tasks only, since a table of an open dispute would tell the third what was said; so
κ is the better-looking figure while disputes are open, and says how many are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from opsroom.evidence import Interval, Tally
from opsroom.evidence.rates import clopper_pearson
from opsroom.kit.wire import Wire
from opsroom.web.charts import Tone

# Landis and Koch (1977), Biometrics 33:159, table 2.
_WORDS: Sequence[tuple[float, str]] = (
    (0.81, "almost perfect"),
    (0.61, "substantial"),
    (0.41, "moderate"),
    (0.21, "fair"),
    (0.0, "slight"),
)
GOOD, FAIR = 0.61, 0.41


@dataclass(frozen=True, slots=True, kw_only=True)
class Kappa(Wire):
    """Cohen's κ of the first and the second reviewer over `items` settled tasks, with its 95 %
    interval. `confusion[i][j]` counts tasks that the first called `labels[i]` and the second
    `labels[j]`.
    """

    items: int
    kappa: float
    interval: Interval
    labels: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed(Wire):
    """How often two people said the same of `pairs` tasks, with the exact 95 % interval.
    `open` disputes wait for a third person. `kappa` is None without settled pairs, and where
    people write answers of their own.
    """

    pairs: int
    agreed: int
    rate: float
    interval: Interval
    open: int
    kappa: Kappa | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Given(Wire):
    """How many settled tasks have a label, and the exact 95 % interval of its share."""

    label: str
    tally: Tally
    interval: Interval


def agreed(
    pairs: int, differ: int, *, open_: int, settled: Sequence[tuple[str, str, int]]
) -> Agreed | None:
    """None before any task has the labels of two people."""
    if not pairs:
        return None
    same = Tally(n=pairs, hits=pairs - differ)
    return Agreed(
        pairs=pairs,
        agreed=same.hits,
        rate=same.hits / same.n,
        interval=clopper_pearson(same),
        open=open_,
        kappa=_kappa(settled) if settled else None,
    )


def given(counts: dict[str, int]) -> tuple[Given, ...]:
    """The labels of settled tasks, the most frequent first."""
    n = sum(counts.values())
    ranked = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    tallies = [(label, Tally(n=n, hits=hits)) for label, hits in ranked]
    return tuple(
        Given(label=label, tally=tally, interval=clopper_pearson(tally))
        for label, tally in tallies
    )


def verdict(found: Agreed | None) -> tuple[str, Tone]:
    """What may be said of it, in words: what both ends of κ's interval allow."""
    if found is None:
        return "no task has two labels yet", "muted"
    if found.kappa is None:
        return "only the rate of agreement is known", "info"
    low, high = found.kappa.interval.low, found.kappa.interval.high
    if high < FAIR:
        return f"{_word(high)} agreement at best: the rubric leaves too much open", "bad"
    if low <= 0:
        return "agreement is not shown to be more than chance", "warn"
    return (
        f"{_word(low)} agreement, or better",
        "good" if low >= GOOD else "info" if low >= FAIR else "warn",
    )


def _word(kappa: float) -> str:
    return next((word for least, word in _WORDS if kappa >= least), "worse than chance")


def _kappa(settled: Sequence[tuple[str, str, int]]) -> Kappa:
    from opsroom.evidence.agreement import (  # noqa: PLC0415  # numbers that starting need not wait for
        agreement,
    )

    first = [one for one, _, many in settled for _ in range(many)]
    second = [other for _, other, many in settled for _ in range(many)]
    found = agreement(first, second)
    return Kappa(
        items=found.items,
        kappa=found.kappa,
        interval=found.kappa_interval,
        labels=found.labels,
        confusion=found.confusion,
    )
