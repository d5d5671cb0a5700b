"""What is pulled says exactly what the server has, for every kind."""

from pathlib import Path
from typing import Any

from tests.workspace.world import entries, states

from opsroom.app.kinds import KINDS as REGISTERED
from opsroom.datasets import queries as datasets
from opsroom.kit.db import Actor, Database
from opsroom.kit.wire import plain
from opsroom.registry import Ref
from opsroom.registry import queries as registered
from opsroom.workspace import commands, files
from opsroom.workspace.locking import Lock
from opsroom.workspace.model import KINDS, Entry, Files

MORE: dict[str, dict[str, Any]] = {
    "contract": {
        "tool": "pay",
        "description": "Pays an invoice.",
        "risk": "write",
        "input": {"type": "object", "properties": {"on": {"type": "string"}}},
        "executor": {"kind": "http", "method": "POST", "url": "https://pay.example/v1"},
    },
    "policy": {
        "cedar": '@id("never")\nforbid (principal, action, resource);\n',
        "description": "no: never",
    },
    "integration": {"endpoint": "https://pay.example", "source": {"kind": "none"}},
    "channel": {
        "to": {"kind": "webhook", "url": "https://chat.example/x", "secret": "secret:chat"},
        "events": ["alert.opened"],
    },
    "route": {"targets": [{"model": "gpt-5-mini", "endpoint": "https://models.example/v1"}]},
    "alert-rule": {"description": "too slow", "when": "now.failed.low > 0.015"},
}


def test_what_is_pulled_is_what_was_pushed(
    sqlite_db: Database, actor: Actor, tmp_path: Path
) -> None:
    (tmp_path / "opsroom.yaml").write_text("files: [ops]\n")
    workspace = files.load(tmp_path)
    more = tuple(
        Entry(kind=kind, name="one", file=f"{kind}.yaml", spec=spec)
        for kind, spec in MORE.items()
    )
    with sqlite_db.write(actor) as tx:
        commands.push(tx, Files(entries=(*entries(), *more)), kinds=REGISTERED)
        for kind in KINDS:
            for artifact, _, _ in registered.artifacts(tx, kind):
                version = registered.version(tx, Ref(kind, artifact.name))
                items = None
                if kind == "dataset":
                    found = datasets.items(tx, datasets.dataset(tx, artifact.name)[1])
                    items = [plain(one) for one in found]
                told = files.texts(workspace, plain(artifact), plain(version), items, at=None)
                for path, text in told.items():
                    files.write(workspace, path, text)
        read = files.read(workspace, Lock())
        assert {one.entry.kind for one in read} == set(KINDS)
        again = Files(entries=tuple(one.entry for one in read))
        assert set(states(commands.plan(tx, again, kinds=REGISTERED)).values()) == {"unchanged"}
