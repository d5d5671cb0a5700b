"""Logs of Inspect: what they come to, and archives that were made to do harm (T5, T6)."""

import io
import json
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest

from opsroom.importing import BadImport
from opsroom.importing.readers import read
from opsroom.kit.errors import OpsroomError

START = {"version": 2, "eval": {"task": "Capitals", "model": "openai/gpt-9"}, "plan": {}}


def sample(number: int, epoch: int = 1, **rest: Any) -> dict[str, Any]:
    return {
        "id": f"s{number}",
        "epoch": epoch,
        "input": f"Capital {number}?",
        "target": "Paris",
        "scores": {"match": {"value": "C", "answer": "Paris"}},
        "output": {
            "model": "gpt-9-2026",
            "choices": [
                {"message": {"role": "assistant", "content": "Paris"}, "stop_reason": "stop"}
            ],
            "usage": {"input_tokens": 7, "output_tokens": 2, "total_tokens": 9},
        },
        "working_time": 0.5,
        **rest,
    }


def archive(path: Path, *samples: dict[str, Any], start: str = "_journal/start.json") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr(start, json.dumps(START))
        for one in samples:
            zipped.writestr(f"samples/{one['id']}_epoch_{one['epoch']}.json", json.dumps(one))
        zipped.writestr("header.json", '{"results": NaN}')
    return path


@pytest.mark.parametrize("form", ["eval", "older", "json"])
def test_a_run_comes_in_with_its_scores(tmp_path: Path, form: str) -> None:
    asked = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "attachment://k1"}]},
    ]
    samples = [
        sample(1),
        sample(1, epoch=2, scores={"match": {"value": "I"}, "why": {"value": {"a": 1}}}),
        sample(2, input=asked, attachments={"k1": "Capital 2?"}),
        sample(3, error={"message": "time-out"}),
    ]
    if form == "json":
        path = tmp_path / "run.json"
        path.write_text(json.dumps({**START, "status": "success", "samples": samples}))
    else:
        start = "start.json" if form == "older" else "_journal/start.json"
        path = archive(tmp_path / "run.eval", *samples, start=start)
    bundle = read("inspect", path)
    (dataset,) = bundle.datasets
    assert (dataset.name, dataset.evaluators) == ("capitals", ("inspect-match",))
    first, second, _third = dataset.items
    assert (first.id, first.input, first.expected) == (
        "s1",
        {"input": "Capital 1?"},
        "Paris",
    )
    assert second.input == {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Capital 2?"},
        ]
    }
    right, wrong, _ = sorted(
        bundle.recordings, key=lambda one: (one.item != first.hash, one.trial)
    )
    assert (right.item, right.trial, wrong.trial) == (first.hash, 0, 1)
    assert (right.output.scores, wrong.output.scores) == ({"match": 1.0}, {"match": 0.0})
    assert (right.output.text, right.output.input_tokens, right.output.latency) == (
        "Paris",
        7,
        0.5,
    )
    assert {(one.what, one.count) for one in bundle.left_out} == {("score", 1), ("answer", 1)}
    agents = [one for one in bundle.versions if one.kind == "agent"]
    assert [(one.name, one.draft.labels) for one in agents] == [("capitals", ("openai-gpt-9",))]


def test_a_sample_that_was_written_again_counts_as_it_was_last(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = archive(tmp_path / "run.eval", sample(1), sample(1, target="Rome"))
    (dataset,) = read("inspect", path).datasets
    assert [one.expected for one in dataset.items] == ["Rome"]


def made(name: str, content: bytes = b"{}", **attributes: Any) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("_journal/start.json", json.dumps(START))
        entry = zipfile.ZipInfo(name)
        entry.compress_type = zipfile.ZIP_DEFLATED
        for attribute, value in attributes.items():
            setattr(entry, attribute, value)
        zipped.writestr(entry, content)
    return packed.getvalue()


def locked() -> bytes:
    """An archive whose second member says that it takes a password."""
    raw = bytearray(made("samples/a.json"))
    local = raw.rindex(b"PK\x03\x04")
    central = raw.rindex(b"PK\x01\x02")
    raw[local + 6] |= 1
    raw[central + 8] |= 1
    return bytes(raw)


def lying() -> bytes:
    """An archive whose directory understates what its member inflates to."""
    raw = bytearray(made("samples/a.json", b"x" * 20_000_000))
    central = raw.rindex(b"PK\x01\x02")
    raw[central + 24 : central + 28] = (10).to_bytes(4, "little")
    return bytes(raw)


def many() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as zipped:
        for number in range(10_001):
            zipped.writestr(f"{number}.json", "")
    return packed.getvalue()


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (made("../../etc/passwd"), "path_leaves_folder"),
        (made("/etc/passwd"), "path_leaves_folder"),
        (made("samples\\..\\a.json"), "path_leaves_folder"),
        (made("C:a.json"), "path_leaves_folder"),
        (
            made("samples/a.json", b"/etc/passwd", external_attr=(stat.S_IFLNK | 0o777) << 16),
            "archive_member_refused",
        ),
        (locked(), "archive_member_refused"),
        (made("samples/a.json", b"[" * 70_000_000), "file_bomb"),
        (made("samples/a.json", b'{"a": 1, "a": 2}'), "bad_import"),
        (made("samples/a.json", b'{"a": NaN}'), "bad_import"),
        (made("samples/a.json", b"[" * 100_000), "bad_import"),
        (made("samples/a.json", b"\xff"), "file_not_utf8"),
        (made("samples/a.json", b'{"id": 1}'), "bad_import"),
        (made("samples/a.json")[:-40], "file_corrupt"),
        (b"no archive", "file_corrupt"),
        (b"", "file_corrupt"),
        (many(), "file_unreadable"),
    ],
)
def test_archives_that_do_harm_are_refused(tmp_path: Path, raw: bytes, code: str) -> None:
    path = tmp_path / "run.eval"
    path.write_bytes(raw)
    with pytest.raises(OpsroomError) as caught:
        read("inspect", path)
    assert caught.value.code == code
    assert caught.value.hint
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_member_says_of_its_size_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "run.eval"
    path.write_bytes(lying())
    with pytest.raises(OpsroomError) as caught:
        read("inspect", path)
    assert caught.value.code in {"file_bomb", "file_corrupt", "bad_import"}


def test_an_archive_inside_an_archive_stays_packed(tmp_path: Path) -> None:
    path = tmp_path / "run.eval"
    path.write_bytes(made("samples/inner.zip", made("samples/a.json", b"x" * 1000)))
    assert read("inspect", path).datasets == ()


@pytest.mark.parametrize(
    "log", ["{}", "[]", '{"samples": [1]}', '{"samples": [{}], "eval": {}}']
)
def test_a_json_file_that_is_no_log_is_refused(tmp_path: Path, log: str) -> None:
    path = tmp_path / "run.json"
    path.write_text(log)
    with pytest.raises(BadImport):
        read("inspect", path)


def test_numbers_that_are_too_large_and_calls_that_are_none_are_no_crash(
    tmp_path: Path,
) -> None:
    output = {"choices": [{"message": {"content": "Paris", "tool_calls": 5}}]}
    path = archive(
        tmp_path / "run.eval", sample(1, scores={"m": {"value": 10**400}}, output=output)
    )
    bundle = read("inspect", path)
    assert [one.output.text for one in bundle.recordings] == ["Paris"]
    assert [one.what for one in bundle.left_out] == ["score"]
    with pytest.raises(BadImport, match="too large"):
        read("inspect", archive(tmp_path / "slow.eval", sample(1, working_time=10**400)))
