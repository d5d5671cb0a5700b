"""Secrets that must be found nowhere: made from a seed, each with the bytes to look for."""

import base64
import random
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Canary:
    """What is planted, and the part of it that gives it away."""

    kind: str
    text: str
    needle: bytes


def canaries(seed: int, count: int) -> list[Canary]:
    draw = random.Random(seed)
    makers = (_key, _jwt, _pem, _connection, _card, _bearer)
    return [makers[number % len(makers)](draw) for number in range(count)]


def found(needles: Mapping[bytes, str], places: Mapping[str, bytes]) -> list[str]:
    """Which canaries stand where: what they are and in which place."""
    return [
        f"{kind} in {place}"
        for place, raw in places.items()
        for needle, kind in needles.items()
        if needle in raw
    ]


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below a folder: databases, write-ahead logs, parts of the trace store."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(folder)), path.read_bytes()


def _text(draw: random.Random, size: int, letters: str = LETTERS) -> str:
    return "".join(draw.choices(letters, k=size - 1)) + "7"


def _key(draw: random.Random) -> Canary:
    made = draw.choice(("sk-proj-", "ghp_", "xoxb-", "AKIA", "hf_", "glpat-"))
    rest = _text(draw, 16, string.ascii_uppercase) if made == "AKIA" else _text(draw, 36)
    return Canary("key", made + rest, rest.encode())


def _jwt(draw: random.Random) -> Canary:
    parts = [_text(draw, size) for size in (24, 60, 43)]
    return Canary("jwt", f"eyJ{parts[0]}.eyJ{parts[1]}.{parts[2]}", parts[1].encode())


def _pem(draw: random.Random) -> Canary:
    lines = [base64.b64encode(draw.randbytes(48)).decode() for _ in range(4)]
    body = "\n".join(lines)
    text = f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----"
    return Canary("pem", text, lines[2].encode())


def _connection(draw: random.Random) -> Canary:
    secret = _text(draw, 20)
    scheme = draw.choice(("postgresql+psycopg", "mongodb+srv", "amqp", "redis"))
    return Canary("connection", f"{scheme}://svc:{secret}@db.internal:5432/x", secret.encode())


def _card(draw: random.Random) -> Canary:
    digits = [4, *(draw.randrange(10) for _ in range(14))]
    doubled = (sum(divmod(2 * one, 10)) for one in digits[::-1][::2])
    digits.append(-(sum(digits[::-1][1::2]) + sum(doubled)) % 10)
    text = "".join(map(str, digits))
    return Canary("card", text, text.encode())


def _bearer(draw: random.Random) -> Canary:
    secret = _text(draw, 40)
    return Canary("bearer", f"Bearer {secret}", secret.encode())
