"""An archive is what we wrote, to the byte; everything else is refused while memory is small."""

import gzip
import io
import json
import tarfile
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.kit.canonical import canonical, sha256
from opsroom.kit.wire import plain
from opsroom.workspace import archive
from opsroom.workspace.archive import ITEMS, MANIFEST, REGISTRY
from opsroom.workspace.carrying import Content
from opsroom.workspace.errors import ArchiveBomb, ArchiveRefused, WorkspaceTooLarge

MEGABYTE = 1024 * 1024
ITEM = Content(hash="0" * 64, content={"input": "Ada", "expected": None}, tags=(), metadata={})


def read(packed: bytes) -> list[dict[str, object]]:
    return [one.data for one in archive.walk(packed)]


def test_what_is_written_is_read_and_is_the_same_bytes_again() -> None:
    manifest, packed = archive.write([ITEM], [], artifacts=0)
    assert read(packed) == [plain(ITEM)]
    assert archive.write([ITEM], [], artifacts=0) == (manifest, packed)
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:  # others can look into it
        assert tar.getnames() == [MANIFEST, ITEMS, REGISTRY]


def packed(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", format=tarfile.USTAR_FORMAT) as tar:
        for member, content in members:
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


def member(name: str, content: bytes = b"", type_: bytes = tarfile.REGTYPE) -> tuple[tarfile.TarInfo, bytes]:  # fmt: skip
    info = tarfile.TarInfo(name)
    info.size, info.type, info.mode = len(content), type_, 0o644
    return info, content


def whole(
    items: bytes = b"", registry: bytes = b"", *, count: int = 0, **told: object
) -> bytes:
    """An archive of these members, with a manifest that is right but for what is `told`."""
    manifest = {
        "format": archive.FORMAT,
        "artifacts": 0,
        "versions": 0,
        "items": count,
        "members": {
            ITEMS: {"size": len(items), "sha256": sha256(items)},
            REGISTRY: {"size": len(registry), "sha256": sha256(registry)},
        },
    } | told
    about = canonical(manifest)
    out = b""
    for name, content in ((MANIFEST, about), (ITEMS, items), (REGISTRY, registry)):
        header = member(name, content)[0].tobuf(tarfile.USTAR_FORMAT)
        out += header + content + bytes(-len(content) % 512)
    return zlib_(out + bytes(1024))


def zlib_(data: bytes) -> bytes:
    deflate = zlib.compressobj(6, zlib.DEFLATED, 31)
    return deflate.compress(data) + deflate.flush()


def linked(name: str, type_: bytes, target: str) -> bytes:
    info, _ = member(name, type_=type_)
    info.linkname = target
    return packed((info, b""))


GOOD = archive.write([ITEM], [], artifacts=0)[1]
LINE = canonical(plain(ITEM)) + b"\n"
HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "ends too early"),
    "no gzip": (lambda: b"PK\x03\x04" + bytes(100), "no gzip file"),
    "no tar": (lambda: gzip.compress(b"hello" * 1000), "something else stands where"),
    "zip-slip": (lambda: packed(member("../../etc/passwd", b"x")), "something else stands"),
    "absolute": (lambda: packed(member("/etc/passwd", b"x")), "something else stands"),
    "symbolic link": (
        lambda: linked(MANIFEST, tarfile.SYMTYPE, "/etc/passwd"),
        "symbolic link",
    ),
    "hard link": (lambda: linked(MANIFEST, tarfile.LNKTYPE, "/etc/passwd"), "hard link"),
    "device": (lambda: packed(member(MANIFEST, type_=tarfile.CHRTYPE)), "a device"),
    "pipe": (lambda: packed(member(MANIFEST, type_=tarfile.FIFOTYPE)), "a pipe"),
    "folder": (lambda: packed(member(MANIFEST, type_=tarfile.DIRTYPE)), "a folder"),
    "pax": (lambda: packed(member(MANIFEST, b"x", b"x")), "not one of ours"),
    "long name": (lambda: packed(member(MANIFEST, b"x", b"L")), "not one of ours"),
    "sparse": (lambda: packed(member(MANIFEST, b"x", b"S")), "not one of ours"),
    "twice": (
        lambda: packed(*[member(MANIFEST, canonical({}))] * 2),
        "not one of ours",
    ),
    "cut off": (lambda: GOOD[:-20], "ends too early"),
    "damaged": (lambda: GOOD[:60] + b"\xff\xff" + GOOD[62:], "damaged|digest|no JSON|not|else"),
    "followed": (lambda: GOOD + b"x", "something follows"),
    "followed by another": (lambda: GOOD + GOOD, "something follows"),
    "other format": (lambda: whole(format="opsroom-workspace/2"), "its format is not"),
    "unknown field": (lambda: whole(extra=1), "not one of ours"),
    "wrong digest": (
        lambda: whole(
            LINE,
            count=1,
            members={
                ITEMS: {"size": len(LINE), "sha256": "0" * 64},
                REGISTRY: {"size": 0, "sha256": sha256(b"")},
            },
        ),
        "another digest",
    ),
    "wrong size": (
        lambda: whole(
            LINE,
            count=1,
            members={
                ITEMS: {"size": 7, "sha256": sha256(LINE)},
                REGISTRY: {"size": 0, "sha256": sha256(b"")},
            },
        ),
        "another size",
    ),
    "wrong count": (lambda: whole(LINE, count=2), "fewer records"),
    "more than it says": (lambda: whole(b"{}\n" * 10**5), "more records"),
    "half a line": (lambda: whole(LINE[:-1], count=1), "ends within a line"),
    "key twice": (lambda: whole(b'{"a":1,"a":2}\n', count=1), "stands here twice"),
    "NaN": (lambda: whole(b'{"a":NaN}\n', count=1), "NaN is not a number"),
    "no UTF-8": (lambda: whole(b'{"a":"\xff"}\n', count=1), "not UTF-8"),
    "half a surrogate": (lambda: whole(b'{"a":"\\ud800"}\n', count=1), "surrogate"),
    "long number": (lambda: whole(b'{"a":' + b"9" * 10**6 + b"}\n", count=1), "line 1"),
    "deep": (lambda: whole(b'{"a":' + b"[" * 10**5 + b"]" * 10**5 + b"}\n", count=1), "nested"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_we_did_not_write_is_refused(case: str) -> None:
    make, why = HOSTILE[case]
    with pytest.raises(ArchiveRefused, match=why):
        read(make())


BOMBS: dict[str, Callable[[], bytes]] = {
    "zeros": lambda: zlib_(bytes(80 * MEGABYTE)),
    "one long line": lambda: whole(b'{"a":"' + b"x" * 20 * MEGABYTE + b'"}\n', count=1),
    "a million lines": lambda: whole(b"{}\n" * 10**6, count=10**6),
    "a million values": lambda: whole(b'{"a":[' + b"1," * 10**6 + b"1]}\n", count=1),
    "a million keys": lambda: whole(
        b"{" + b",".join(b'"%d":1' % n for n in range(10**6)) + b"}\n", count=1
    ),
    "more than may come": lambda: bytes(17 * MEGABYTE),
}


@pytest.mark.parametrize("case", BOMBS)
def test_bombs_are_given_up_on_while_memory_is_small(case: str) -> None:
    bomb = BOMBS[case]()
    tracemalloc.start()
    try:
        with pytest.raises((ArchiveBomb, ArchiveRefused)):
            for _ in archive.walk(bomb):
                pass
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 48 * MEGABYTE


@given(at=st.integers(0, len(GOOD) - 1), to=st.integers(0, 255))
def test_a_changed_byte_is_refused_or_means_the_same(at: int, to: int) -> None:
    changed = GOOD[:at] + bytes([to]) + GOOD[at + 1 :]
    try:
        assert read(changed) == [plain(ITEM)]
    except (ArchiveRefused, ArchiveBomb):
        return


def test_what_repeats_itself_is_packed_so_that_it_can_be_unpacked() -> None:
    many = [
        Content(hash=f"{n:064}", content={"input": "x" * 60_000}, tags=(), metadata={})
        for n in range(60)
    ]
    _, made = archive.write(many, [], artifacts=0)
    assert len(read(made)) == 60


def test_what_could_not_be_read_again_is_not_written() -> None:
    long = Content(hash="0" * 64, content={"input": "x" * 9 * MEGABYTE}, tags=(), metadata={})
    with pytest.raises(WorkspaceTooLarge):
        archive.write([long], [], artifacts=0)


def test_a_manifest_names_what_it_holds() -> None:
    manifest, made = archive.write([ITEM], [], artifacts=0)
    assert archive.read_manifest(made) == manifest
    assert json.loads(canonical(plain(manifest)))["items"] == 1
