"""Files that somebody else made: whole, bounded, and with the place of what is wrong."""

import gzip
import json
import os
import random
import time
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.kit import files
from opsroom.kit.errors import OpsroomError

GOOD = b'{"a": 1}\n{"a": "\xc3\xa9"}\n\n{"b": [true, null, 1.5]}'


def written(folder: Path, content: bytes, name: str = "in.jsonl") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "packed",
    [
        GOOD,
        b"\xef\xbb\xbf" + GOOD,
        GOOD.replace(b"\n", b"\r\n"),
        gzip.compress(GOOD),
        gzip.compress(GOOD[:12]) + gzip.compress(GOOD[12:]) + bytes(512),
    ],
    ids=["plain", "byte-order mark", "crlf", "gzip", "gzip in two members, padded"],
)
def test_objects_come_with_their_lines(tmp_path: Path, packed: bytes) -> None:
    assert list(files.read_jsonl(written(tmp_path, packed))) == [
        (1, {"a": 1}),
        (2, {"a": "é"}),
        (4, {"b": [True, None, 1.5]}),
    ]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"a": 1', "no JSON"),
        (b"[1]", "one object"),
        (b"1", "one object"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"x": {"a": 1, "b": 2, "a": 3}}', "'a' stands here twice"),
        (b'{"a": NaN}', "NaN is not"),
        (b'{"a": -Infinity}', "-Infinity is not"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": ' + b"1" * 5000 + b"}", "limit"),
        (b'{"a": ' + b"[" * 65 + b"]" * 65 + b"}", "deeper than 64"),
        (b'{"a":' * 70 + b"1" + b"}" * 70, "deeper than 64"),
        (b"[" * 100_000, "deeper than 64"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b'{"\\udfff": 1}', "surrogate"),
        (b'{"a": "\x01"}', "control character"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: bytes, why: str) -> None:
    path = written(tmp_path, GOOD + b"\n" + line + b"\n" + GOOD)
    rows = files.read_jsonl(path)
    assert [number for number, _ in (next(rows), next(rows), next(rows))] == [1, 2, 4]
    with pytest.raises(files.LineWrong, match=why) as caught:
        next(rows)
    assert (caught.value.file, caught.value.line) == ("in.jsonl", 5)


def test_deep_but_not_too_deep(tmp_path: Path) -> None:
    line = b'{"a": ' + b"[" * 63 + b"]" * 63 + b', "b": "\\ud83d\\ude00"}'
    ((_, found),) = files.read_jsonl(written(tmp_path, line))
    assert found["b"] == "😀"


def test_keys_of_other_tools_stay_data(tmp_path: Path) -> None:
    data = {"lc": 1, "$ref": "x", "__proto__": {}, "py/object": "os.system", "kind": "Advance"}
    ((_, found),) = files.read_jsonl(written(tmp_path, json.dumps(data).encode()))
    assert found == data


@pytest.mark.parametrize("cut", [5, 12, 40, 2000, -8, -1])
def test_a_truncated_file_is_not_a_short_one(tmp_path: Path, cut: int) -> None:
    noise = random.Random(1).randbytes(4000).hex()
    content = b"".join(b'{"n": %d, "x": "%s"}\n' % (n, noise.encode()) for n in range(3))
    path = written(tmp_path, gzip.compress(content)[:cut])
    with pytest.raises(files.FileTruncated) as caught:
        list(files.read_jsonl(path))
    assert 1 <= caught.value.line <= 4


def test_a_damaged_file_is_noticed(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(b'{"a": 1}\n' * 500))
    for place in (3, 15, 20, len(packed) - 6):
        broken = packed.copy()
        broken[place] ^= 0xFF
        try:
            rows = list(files.read_jsonl(written(tmp_path, bytes(broken))))
        except OpsroomError as error:
            assert error.code in {"file_corrupt", "file_truncated", "line_wrong"}  # noqa: PT017
        else:
            assert len(rows) == 500  # flags that mean nothing to the content


@pytest.mark.parametrize("after", [b"garbage", b"\0\0more", b"\x1f\x8bno"])
def test_garbage_after_the_end_is_noticed(tmp_path: Path, after: bytes) -> None:
    with pytest.raises(files.FileCorrupt):
        list(files.read_jsonl(written(tmp_path, gzip.compress(GOOD) + after)))


def bomb(size: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    piece = bytes(1 << 20)
    return b"".join(packer.compress(piece) for _ in range(size >> 20)) + packer.flush()


def test_a_bomb_is_stopped_early(tmp_path: Path) -> None:
    path = written(tmp_path, bomb(128 << 20))
    tracemalloc.start()
    begun = time.process_time()
    with pytest.raises(files.FileBomb) as caught:
        list(files.read_jsonl(path))
    spent = time.process_time() - begun
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.status == 413
    assert spent < 1
    assert peak < 16 << 20


def test_nested_archives_are_not_opened(tmp_path: Path) -> None:
    path = written(tmp_path, gzip.compress(gzip.compress(GOOD)))
    with pytest.raises((files.NotUtf8, files.LineWrong)):
        list(files.read_jsonl(path))


def test_the_limits_are_the_callers(tmp_path: Path) -> None:
    path = written(tmp_path, gzip.compress(b'{"a": 1}\n' * 1000))
    assert len(list(files.read_jsonl(path, max_inflated=9000))) == 1000
    with pytest.raises(files.FileTooLarge) as caught:
        list(files.read_jsonl(path, max_inflated=8999))
    assert caught.value.limit == 8999


def test_a_line_without_an_end_is_not_kept(tmp_path: Path) -> None:
    rows = files._text_lines(
        written(tmp_path, b"ok\n" + b"x" * (2 << 20)), 1 << 30, max_line=1 << 20
    )
    assert next(rows) == "ok\n"
    with pytest.raises(files.LineTooLong) as caught:
        next(rows)
    assert caught.value.line == 2


def test_other_encodings_are_not_guessed(tmp_path: Path) -> None:
    with pytest.raises(files.NotUtf8) as caught:
        list(files.read_lines(written(tmp_path, b"ok\nna\xefve\n")))
    assert caught.value.line == 2


@pytest.mark.parametrize(
    "make",
    [lambda path: None, lambda path: path.mkdir(), os.mkfifo],
    ids=["missing", "folder", "pipe"],
)
def test_only_regular_files_are_read(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "x")
    with pytest.raises(files.FileUnreadable):
        files.read_text(tmp_path / "x")


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_text_comes_back(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "text"
    path.write_bytes(gzip.compress(text.encode()))
    assert files.read_text(path) == text.removeprefix("\ufeff")


def test_rows_come_under_their_names(tmp_path: Path) -> None:
    path = written(tmp_path, b'q,a\r\n"one, ""two""","x\ny"\r\n\r\nlast,z\r\n', "in.csv")
    assert list(files.read_csv(path)) == [
        (2, {"q": 'one, "two"', "a": "x\ny"}),
        (5, {"q": "last", "a": "z"}),
    ]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", 1),
        (b"a,a\n1,2\n", 1),
        (b"a,\n1,2\n", 1),
        (b"a,b\n1,2\n1\n", 3),
        (b"a,b\n1,2,3\n", 2),
        (b'a,b\n1,2\n"open,3\n', 3),
        (b'a,b\n"x"y,2\n', 2),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, content: bytes, line: int) -> None:
    with pytest.raises(files.LineWrong) as caught:
        list(files.read_csv(written(tmp_path, content, "in.csv")))
    assert caught.value.line == line


def test_a_long_cell_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, b"a,b\n" + b"x" * 300_000 + b",2\n", "in.csv")
    ((_, row),) = files.read_csv(path)
    assert len(row["a"]) == 300_000


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        "../x",
        "a/../../x",
        "a/..",
        "..",
        ".",
        "a\\..\\x",
        "C:/x",
        "c:x",
        "a\0b",
        "a\nb",
        "link/x",
        "out",
        "x" * 300,
        "a/" * 600,
    ],
)
def test_names_do_not_leave_their_folder(tmp_path: Path, name: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "link").symlink_to(tmp_path)
    (home / "out").symlink_to("/etc/passwd")
    with pytest.raises(files.PathLeaves):
        files.inside(home, name)


def test_plain_names_are_paths(tmp_path: Path) -> None:
    assert files.inside(tmp_path, "a/b.yaml") == tmp_path / "a" / "b.yaml"


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("b.yaml", "sub/a.yml", "c.txt"):
        (tmp_path / name).write_text("x")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "d.yaml").symlink_to("/etc/hostname")
    found = files.files_below(tmp_path, ".yaml", ".yml")
    assert [path.name for path in found] == ["b.yaml", "a.yml"]
    with pytest.raises(files.FileUnreadable):
        files.files_below(tmp_path, ".yaml", most=1)
