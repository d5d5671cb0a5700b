"""Sealing what must not lie in the open: AES-256-GCM, by keys that are kept elsewhere.

What is sealed says which key opens it and is bound to the place it belongs to, so it cannot be
moved into another row, and another key does not open it:

    sealed = keyring.seal(b"...", about="secret/erp")        # "s1.3f9c0a12d5e86b47.…"
    keyring.open(sealed, about="secret/erp")

The master keys come from `OPSROOM_MASTER_KEY`, the newest first, with commas: the first seals,
all of them open. Without it, an installation with an embedded database has one in a file beside
it, which only its owner may read.
"""

import base64
import hashlib
import os
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .errors import Failed, Invalid
from .files import sync_folder, write_private

VARIABLE = "OPSROOM_MASTER_KEY"
FILE = "master.key"
ID = 16  # characters of a key's id
SIZE = 32  # bytes: AES-256
FORM = "s1"
_NONCE = 12  # bytes; random ones are safe for 2^32 texts under one key (NIST SP 800-38D, 8.3)


@dataclass(eq=False)
class BadMasterKey(Invalid):
    code = "bad_master_key"
    text = "the master key in {0.where} cannot be used: {0.why}"
    hint = "a key is 32 random bytes in base64, as `openssl rand -base64 32` writes them"
    where: str
    why: str


@dataclass(eq=False)
class NoMasterKey(Invalid):
    code = "no_master_key"
    text = "there is no master key, and processes that share a database need the same one"
    hint = "set OPSROOM_MASTER_KEY, to what `openssl rand -base64 32` writes, for every process"


@dataclass(eq=False)
class SealedByAnother(Failed):
    code = "sealed_by_another_key"
    text = "what was sealed by key {0.key} cannot be opened: that key is not here"
    hint = (
        "put the key that sealed it (of an environment, or the file master.key of a folder) into"
        " OPSROOM_MASTER_KEY, behind the newer one if there is one"
    )
    key: str


@dataclass(eq=False)
class SealBroken(Failed):
    code = "seal_broken"
    text = "the seal of {0.about!r} is broken: it was changed, cut, or belongs elsewhere"
    hint = "look who may write to the database; a backup holds what was there before"
    about: str


@dataclass(frozen=True, slots=True)
class SealingKey:
    """One key of 32 bytes. Its id is made of it and gives nothing of it away."""

    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        return hashlib.sha256(b"opsroom sealing key\0" + self.secret).hexdigest()[:ID]

    def seal(self, plain: bytes, *, about: str) -> str:
        """`plain` as printable text, for the place that `about` names and no other."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415  # few seal

        nonce, name = secrets.token_bytes(_NONCE), self.id
        hidden = AESGCM(self.secret).encrypt(nonce, plain, _bound(name, about))
        return f"{FORM}.{name}.{base64.urlsafe_b64encode(nonce + hidden).decode()}"

    def open(self, sealed: str, *, about: str) -> bytes:
        """What was sealed for this place. Raises `SealBroken`, and `SealedByAnother`."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

        name = key_id(sealed, about=about)
        if name != self.id:
            raise SealedByAnother(name)
        text = sealed.rpartition(".")[2]
        try:
            raw = base64.urlsafe_b64decode(text)
            if base64.urlsafe_b64encode(raw).decode() != text:  # one spelling, not several
                raise SealBroken(about)
            return AESGCM(self.secret).decrypt(raw[:_NONCE], raw[_NONCE:], _bound(name, about))
        except (InvalidTag, ValueError) as error:
            raise SealBroken(about) from error


class DataKeys:
    """Data keys that a transaction has opened, by what they belong to and by their ids.

    Kept no longer than it: others may destroy them. Never many at once.
    """

    MOST = 1000

    def __init__(self) -> None:
        self.of: dict[tuple[str, str], SealingKey | None] = {}  # None where it was destroyed
        self.by_id: dict[str, tuple[tuple[str, str], SealingKey]] = {}

    def keep(self, place: tuple[str, str], key: SealingKey | None) -> None:
        if len(self.of) >= self.MOST:
            self.forget()
        self.of[place] = key
        if key is not None:
            self.by_id[key.id] = (place, key)

    def forget(self) -> None:
        self.of.clear()
        self.by_id.clear()


@dataclass(frozen=True, slots=True)
class Keyring:
    """Master keys, the one that seals first."""

    keys: tuple[SealingKey, ...]

    def seal(self, plain: bytes, *, about: str) -> str:
        return self.keys[0].seal(plain, about=about)

    def open(self, sealed: str, *, about: str) -> bytes:
        """Raises `SealBroken`, and `SealedByAnother` where its key is not among these."""
        name = key_id(sealed, about=about)
        for key in self.keys:
            if key.id == name:
                return key.open(sealed, about=about)
        raise SealedByAnother(name)


def key_id(sealed: str, *, about: str) -> str:
    """Which key opens it. Raises `SealBroken` for what nobody sealed."""
    form, _, rest = sealed.partition(".")
    name, point, _ = rest.partition(".")
    if form != FORM or not point or len(name) != ID:
        raise SealBroken(about)
    return name


def new_key() -> SealingKey:
    return SealingKey(secrets.token_bytes(SIZE))


def written(key: SealingKey) -> str:
    """The key as text: what the variable or the file holds."""
    return base64.b64encode(key.secret).decode()


def read(text: str, where: str) -> SealingKey:
    """The key that `text` is. Raises `BadMasterKey`, which does not repeat it."""
    try:
        secret = base64.b64decode(text.strip(), validate=True)
    except ValueError:
        raise BadMasterKey(where, "it is no base64") from None
    if len(secret) != SIZE:
        raise BadMasterKey(where, f"it has {len(secret)} bytes")
    return SealingKey(secret)


def master(
    environment: Mapping[str, str], folder: Path | None, sealed_by: Collection[str] = ()
) -> Keyring:
    """The master keys of an installation.

    `folder` is where the file lies that stands in for the variable, made when it is first
    needed; None where processes share a database, which the file of one of them cannot serve.
    With both, the variable seals and the file still opens. `sealed_by` are the ids of the keys
    that have sealed what is there: no key is made beside it. Raises `BadMasterKey`,
    `NoMasterKey`, and `SealedByAnother` where one of those is missing.
    """
    named = [one for one in environment.get(VARIABLE, "").split(",") if one.strip()]
    found: Sequence[SealingKey] = [read(one, VARIABLE) for one in named]
    path = None if folder is None else folder / FILE
    if path is not None and (kept := _kept(path)) is not None:
        found = [*found, kept]
    if missing := set(sealed_by) - {one.id for one in found}:
        raise SealedByAnother(min(missing))
    if not found and path is not None:
        found = [_made(path)]
    if not found:
        raise NoMasterKey
    return Keyring(tuple(found))


def _kept(path: Path) -> SealingKey | None:
    try:
        if path.stat().st_mode & 0o077:
            raise BadMasterKey(str(path), "others than its owner may read it; chmod it to 600")
        return read(path.read_text(encoding="ascii"), str(path))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeError) as error:
        raise BadMasterKey(str(path), "it cannot be read") from error


def _made(path: Path) -> SealingKey:
    """A new key in a file; of several processes that begin at once, the first one's."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    write_private(fresh, written(new_key()) + "\n")
    try:
        os.link(fresh, path)  # unlike a rename, it fails where somebody was faster
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    sync_folder(path.parent)  # before anything that is sealed by it can be durable
    key = _kept(path)
    assert key is not None, "it was put there just now"
    return key


def _bound(name: str, about: str) -> bytes:
    return f"opsroom\0{FORM}\0{name}\0{about}".encode()
