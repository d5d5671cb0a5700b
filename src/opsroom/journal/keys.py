"""The key that signs checkpoints of the journal, and signing with it.

The private half lies beside the data, in the form of Go's signed notes
(`PRIVATE+KEY+name+id+base64`), and only its owner may read it. Checking a signature needs
nothing of this: `verify_journal` does it.
"""

import base64
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import BadSigningKey
from .verify_journal import Key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PRIVATE = "PRIVATE+KEY+"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A name, and the private half of an Ed25519 key."""

    name: str
    seed: bytes = field(repr=False)

    @property
    def public(self) -> Key:
        return Key(self.name, _private(self.seed).public_key().public_bytes_raw())

    def sign(self, size: int, root: bytes) -> str:
        """The signed note which says that the journal has `size` entries under this root."""
        text = f"{self.name}\n{size}\n{base64.b64encode(root).decode()}\n"
        signature = self.public.id + _private(self.seed).sign(text.encode())
        return f"{text}\n\u2014 {self.name} {base64.b64encode(signature).decode()}\n"

    def written(self) -> str:
        """The text of the key's file."""
        half = base64.b64encode(b"\x01" + self.seed).decode()
        return f"{PRIVATE}{self.name}+{self.public.id.hex()}+{half}\n"


def make() -> SigningKey:
    """A new key. Its name is also the origin of the checkpoints: one journal, one name."""
    return SigningKey(f"opsroom/journal-{secrets.token_hex(6)}", secrets.token_bytes(32))


def load(path: Path) -> SigningKey | None:
    """The key in a file; None where there is no file. Raises `BadSigningKey`."""
    try:
        text = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeError) as error:
        raise BadSigningKey(str(path)) from error
    name, _, rest = text.removeprefix(PRIVATE).partition("+")
    try:
        seed = base64.b64decode(rest.partition("+")[2], validate=True)[1:]
        key = SigningKey(name, seed)
        whole = key.written().strip() == text
    except ValueError as error:
        raise BadSigningKey(str(path)) from error
    if not whole:
        raise BadSigningKey(str(path))
    return key


def _private(seed: bytes) -> "Ed25519PrivateKey":
    from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415  # few sign

    return ed25519.Ed25519PrivateKey.from_private_bytes(seed)
