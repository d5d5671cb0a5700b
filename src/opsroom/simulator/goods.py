"""Descriptions of goods and their customs headings: made up, and right by construction.

Twelve headings, each with its goods in several wordings. The lists below are what an expert
knows. What the apprentice (apprentice.py) believes before it has read a prompt is in `BELIEFS`:
about half of it, and some of it wrong in the same way every time.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from opsroom.datasets import Item

# Headings of the Harmonized System, and what is traded under each.
GOODS: dict[str, tuple[str, ...]] = {
    "0901": (
        "roasted coffee beans",
        "ground coffee",
        "decaffeinated coffee",
        "espresso capsules",
    ),
    "1509": ("extra virgin olive oil", "olive oil in tins", "cold-pressed olive oil"),
    "3305": ("shampoo in bottles", "hair dye", "hair conditioner", "hair spray"),
    "3923": (
        "polyethylene carrier bags",
        "plastic bottle caps",
        "plastic crates",
        "PET preforms",
    ),
    "4011": ("car tyres", "truck tyres, retreadable", "bicycle tyres of rubber"),
    "4203": ("leather work gloves", "leather belts", "leather jackets"),
    "6109": ("cotton T-shirts, knitted", "knitted singlets", "printed T-shirts of cotton"),
    "6907": ("ceramic floor tiles", "glazed wall tiles", "porcelain paving tiles"),
    "8471": ("laptop computers", "servers for data centres", "tablet computers", "CPU boards"),
    "8504": ("power transformers", "battery chargers", "laptop power supplies", "inverters"),
    "8539": ("LED lamps", "halogen bulbs", "LED tubes", "fluorescent tubes"),
    "9403": ("wooden office desks", "steel shelving", "bedroom wardrobes", "kitchen cabinets"),
}
ORIGINS = ("Rotterdam", "Izmir", "Busan", "Santos", "Gdansk", "Haiphong", "Durban", "Genoa")
WORDINGS = (
    "{n} pcs {goods}, loaded at {origin}",
    "Consignment from {origin}: {goods} ({n} units), new",
    "{goods}, {n} cartons, shipped via {origin}",
    "Invoice line: {goods}; quantity {n}; port {origin}",
)
# Words of trade that say nothing about the goods; whoever works with them knows that.
TRADE = frozenset(
    [
        "pcs",
        "loaded",
        "at",
        "consignment",
        "from",
        "units",
        "new",
        "cartons",
        "shipped",
        "via",
        "invoice",
        "line",
        "quantity",
        "port",
        "in",
        "of",
        "for",
        "and",
        "with",
        "the",
    ]
) | {origin.lower() for origin in ORIGINS}
# What a beginner believes of a word. Tubes are no pipes, supplies are no computers.
BELIEFS: dict[str, str] = {
    "coffee": "0901",
    "oil": "1509",
    "shampoo": "3305",
    "tyres": "4011",
    "tiles": "6907",
    "bags": "3923",
    "gloves": "4203",
    "computers": "8471",
    "laptop": "8471",
    "shirts": "6109",
    "transformers": "8504",
    "bulbs": "8539",
    "desks": "9403",
    "leather": "6109",
    "hair": "4203",
    "tubes": "3923",
    "bottle": "3305",
    "boards": "8504",
}
UNSURE = "9403"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How many of every hundred items each split gets."""

    train: int = 40
    selection: int = 30
    test: int = 30


def cases(*, seed: int = 7, count: int = 400, shares: Shares | None = None) -> list[Item]:
    """So many different descriptions with the right heading each; the same seed, the same ones.

    The input is `{"description": …}`, the expected answer the four digits. The most there can
    be is about 1,400.
    """
    draw = random.Random(seed)  # noqa: S311  # repeatable on purpose
    lots = [
        (heading, goods, origin, wording)
        for heading, all_goods in GOODS.items()
        for goods, origin, wording in product(all_goods, ORIGINS, WORDINGS)
    ]
    draw.shuffle(lots)
    shares = shares or Shares()
    splits = _splits(count, shares, draw)
    return [
        Item(
            id=f"goods-{number:04}",
            input={
                "description": wording.format(
                    n=draw.randint(2, 4000), goods=goods, origin=origin
                )
            },
            expected=heading,
            split=splits[number],
        )
        for number, (heading, goods, origin, wording) in enumerate(lots[:count])
    ]


def heading_of(description: str) -> str:
    """The heading of the goods in a description as `cases` words them; empty where none is."""
    found = (
        (goods, heading)
        for heading, some in GOODS.items()
        for goods in some
        if goods in description
    )
    return max(found, key=lambda one: len(one[0]), default=("", ""))[1]


def _splits(count: int, shares: Shares, draw: random.Random) -> Sequence[str]:
    train = round(count * shares.train / 100)
    selection = round(count * shares.selection / 100)
    names = ["train"] * train + ["selection"] * selection
    names += ["test"] * (count - len(names))
    draw.shuffle(names)
    return names
