"""Traces in files of other tools come in whole: every span, with its parents and what it said."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.installation import Shell, running, shell
from tests.telemetry import Room

from opsroom.traces import queries
from opsroom.traces.checking import JSON, check
from opsroom.traces.errors import NotATrace
from opsroom.traces.foreign import bodies
from opsroom.traces.intake import now_nano
from opsroom.traces.keeping import NEVER_DECIDED, redactor

__all__ = ["shell"]
OBSERVED = {
    "trace": {"id": "not-hex", "sessionId": "s-1", "userId": "u-1"},
    "observations": [
        {
            "id": "root", "type": "AGENT", "name": "clerk", "environment": "staging",
            "startTime": "2026-11-20T10:00:00.000Z", "endTime": "2026-11-20T10:00:03.000Z",
        },
        {
            "id": "b", "type": "GENERATION", "name": "chat", "parentObservationId": "root",
            "startTime": "2026-11-20T10:00:01.000Z", "endTime": None, "model": "gpt-4o",
            "input": [{"role": "user", "content": "hello"}], "output": "hi", "level": "ERROR",
            "statusMessage": "too long", "inputUsage": 9, "outputUsage": 2,
            "metadata": '{"attributes":{"gen_ai.request.model":"gpt-4o-mini","n":{"a":[1]}},"own":1}',
        },
        {
            "id": "c", "type": "TOOL", "name": "pay", "parentObservationId": "b",
            "startTime": "2026-11-20T10:00:02.000Z", "endTime": "2026-11-20T10:00:02.500Z",
        },
    ],
}  # fmt: skip


def take_in(room: Room, document: object) -> int:
    """Send a file as the terminal does; how many spans it has."""
    sent = 0
    for request, spans in bodies(document):
        body = json.dumps(request).encode()
        checked = check(
            body, form=JSON, redactor=redactor(NEVER_DECIDED), now=now_nano(room.clock)
        )
        assert (checked.spans, checked.dead) == (spans, ())
        room.send(checked.body)
        sent += spans
    room.settle()
    return sent


def test_an_export_of_langfuse(room: Room) -> None:
    assert take_in(room, OBSERVED) == 3
    assert take_in(room, [OBSERVED]) == 3  # again, as a list
    (trace,) = {row["trace_id"] for row in room.spans()}
    root, call, tool = queries.trace(room.traces, room.project, trace)
    assert (root.agent, root.session, root.user, root.environment) == (
        "clerk",
        "s-1",
        "u-1",
        "staging",
    )
    assert (call.parent_id, tool.parent_id) == (root.span_id, call.span_id)
    assert (call.served_model, call.requested_model) == ("gpt-4o", "gpt-4o-mini")
    assert (call.input_tokens, call.output_tokens) == (9, 2)
    assert (call.status, call.status_message) == ("error", "too long")
    assert call.content["output.value"] == "hi"
    assert call.attributes["n"] == '{"a":[1]}'
    assert call.attributes["langfuse.metadata.own"] == "1"
    assert tool.tool == "pay"


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({}, "neither"),
        ([], "no span"),
        ("text", "no list"),
        ({"trace": {"id": "x"}, "observations": []}, "no span"),
        ({"trace": {"id": "x"}, "observations": [{}]}, "no id"),
        ({"trace": {"id": "x"}, "observations": [{"id": "1", "startTime": "soon"}]}, "no time"),
    ],
)
def test_what_holds_no_traces_is_refused(document: object, why: str) -> None:
    with pytest.raises(NotATrace, match=why):
        list(bodies(document))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip


@given(metadata=JSON_VALUES, said=JSON_VALUES, name=st.text(max_size=20))
def test_whatever_an_observation_says_it_is_one_good_span(
    metadata: Any, said: Any, name: str
) -> None:
    one = {
        "id": "1", "name": name, "input": said, "metadata": metadata, "model": "m",
        "startTime": "2026-11-20T10:00:01Z", "type": "GENERATION",
    }  # fmt: skip
    ((request, spans),) = bodies({"trace": {"id": "x"}, "observations": [one]})
    body = json.dumps(request).encode()
    checked = check(
        body, form=JSON, redactor=redactor(NEVER_DECIDED), now=1_795_200_000 * 10**9
    )
    assert (spans, checked.spans, checked.dead) == (1, 1, ())


def test_recorded_exports_come_in_whole(room: Room, data_dir: Path) -> None:
    """Exports of twelve frameworks, and one list of spans."""
    files = sorted((data_dir / "traces" / "export").glob("*.json.gz"))
    assert len(files) == 13
    expected, parents = 0, 0
    for file in files:
        document = json.loads(gzip.decompress(file.read_bytes()))
        told = document if isinstance(document, list) else document["observations"]
        expected += len(told)
        parents += sum(bool(one.get("parentObservationId")) for one in told)
        assert take_in(room, document) == len(told)
    found = room.spans()
    assert len(found) == expected
    assert sum(bool(row["parent_id"]) for row in found) >= parents
    known = {row["span_id"] for row in found}
    missing = [row for row in found if row["parent_id"] and row["parent_id"] not in known]
    assert len(missing) < expected / 10
    models = {row["served_model"] for row in found} - {""}
    assert len(models) >= 5


def test_from_the_terminal(home: Path, shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "export.json.gz"
    file.write_bytes(gzip.compress(json.dumps(OBSERVED).encode()))
    wrong = tmp_path / "wrong.json"
    wrong.write_text("{")
    with running(home):
        assert shell("trace", "import", file) == 0, shell.err
        assert "export.json.gz" in shell.out
        assert shell.data("trace", "import", file) == [
            {"file": "export.json.gz", "spans": 3, "refused": 0}
        ]
        listed = shell.data("trace", "list", "--agent", "clerk")
        assert [one["spans"] for one in listed] == [3]
        assert shell("trace", "import", wrong) == 2
        assert "wrong.json is no JSON" in shell.err
