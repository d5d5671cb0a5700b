"""A program with actions of each sort, which remembers what it did."""

import asyncio
from dataclasses import dataclass, field
from decimal import Decimal

from pydantic import BaseModel

import opsroom


class Invoice(BaseModel):
    supplier: str
    amount: Decimal


class Posted(BaseModel):
    number: int


@dataclass
class World:
    """What happened outside, and what is to go wrong there."""

    done: list[str] = field(default_factory=list[str])
    errors: list[BaseException] = field(default_factory=list[BaseException])

    def touch(self, what: str) -> None:
        self.done.append(what)
        if self.errors:
            raise self.errors.pop(0)


world = World()


def found(invoice: Invoice) -> Posted | None:
    """Whether an invoice stands in the books."""
    return Posted(number=88) if f"post {invoice.supplier}" in world.done else None


@opsroom.action(
    "post_invoice", idempotent_on=("supplier", "amount"), lookup=found, reversible="for a day"
)
async def post_invoice(invoice: Invoice) -> Posted:
    """Post an invoice to the books."""
    world.touch(f"post {invoice.supplier}")
    return Posted(number=len(world.done))


@opsroom.action("read_invoice", risk="read")
def read_invoice(number: int) -> str:
    """Read an invoice."""
    return f"invoice {number}: Acme, 12.50"


@opsroom.action("send_note")
def send_note(text: str) -> None:
    """Send a note to the office."""
    world.touch(f"note {text}")


@opsroom.action("tag", retries=2)
def tag(text: str) -> str:
    """Put a tag on the case; once more does no harm."""
    world.touch(f"tag {text}")
    return text


@opsroom.action("slow_note", timeout=0.1)
async def slow_note(text: str) -> None:
    """Send a note that does not get through."""
    world.touch(f"slow {text}")
    await asyncio.sleep(30)


EVERYTHING = (post_invoice, read_invoice, send_note, tag, slow_note)
ALONE = (post_invoice, send_note, tag, slow_note)
