"""What lands on the desks of the freight office: goods to classify, invoices to match, quotes."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

# Goods and the heading of the Harmonized System that they fall under.
GOODS = (
    ("hand-woven wool carpets", "5701"),
    ("cordless drills with lithium batteries", "8467"),
    ("stainless steel cutlery sets", "8215"),
    ("roasted coffee beans in sacks", "0901"),
    ("bicycle frames of aluminium", "8714"),
    ("cotton T-shirts, knitted", "6109"),
    ("ceramic floor tiles, glazed", "6907"),
    ("LED light bulbs", "8539"),
    ("fresh cut roses", "0603"),
    ("polyethylene carrier bags", "3923"),
    ("laptop computers", "8471"),
    ("transformers for power supplies", "8504"),
    ("printed circuit boards, populated", "8534"),
    ("olive oil, extra virgin, bottled", "1509"),
    ("leather work gloves", "4203"),
    ("wooden office desks", "9403"),
    ("car tyres, new", "4011"),
    ("shampoo in retail bottles", "3305"),
    ("jigsaw puzzles", "9503"),
    ("frozen prawns", "0306"),
)
ORIGINS = ("Rotterdam", "Izmir", "Busan", "Santos", "Gdansk", "Haiphong", "Durban", "Genoa")
SUPPLIERS = (
    "Nordlicht",
    "Bahia Sul",
    "Kestrel & Sons",
    "Hanjin Parts",
    "Vela Tessile",
    "Orbis",
)


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do. `hardness` in [0, 1] is hidden from agents: a version does a task
    right when its skill is above it, so two versions stumble over the same hard tasks.
    """

    id: str
    subject: str
    input: dict[str, str]
    expected: str
    hardness: float


def goods(draw: random.Random) -> tuple[dict[str, str], str]:
    what, heading = draw.choice(GOODS)
    pieces, origin = draw.randint(2, 4000), draw.choice(ORIGINS)
    wording = draw.choice(
        (
            f"{pieces} pcs {what}, loaded at {origin}",
            f"Consignment from {origin}: {what} ({pieces} units), new, for resale",
            f"{what}; {pieces} cartons; port of loading {origin}; see packing list",
        )
    )
    return {"description": wording}, heading


def invoice(draw: random.Random) -> tuple[dict[str, str], str]:
    supplier, order = draw.choice(SUPPLIERS), draw.randint(10_000, 99_999)
    amount, off = draw.randint(80, 9000), draw.choice((0, 0, 0, 0, 1, 4, 60, 350))
    verdict = "match" if off <= 4 else "ask"
    return {
        "invoice": f"{supplier}, order {order}, {amount + off}.00 EUR",
        "order": f"{order}: {supplier}, {amount}.00 EUR, tolerance 5.00 EUR",
    }, verdict


def quote(draw: random.Random) -> tuple[dict[str, str], str]:
    origin, target = draw.sample(ORIGINS, 2)
    weight = draw.randint(1, 24)
    return {"request": f"{weight} t of {draw.choice(GOODS)[0]}, {origin} to {target}"}, "quoted"


def stream(
    seed: str, make: Callable[[random.Random], tuple[dict[str, str], str]]
) -> Iterator[Task]:
    """Tasks without end, the same for the same seed."""
    draw = random.Random(seed)  # noqa: S311  # repeatable on purpose
    number = 0
    while True:
        number += 1
        content, expected = make(draw)
        yield Task(
            id=f"{seed}-{number}",
            subject=f"customer-{draw.randint(1, 100_000)}",
            input=content,
            expected=expected,
            hardness=draw.random(),
        )
