"""A real opsroom for a program's own tests: in this process, on a folder that goes away.

    with opsroom.testing.fake() as room:
        room.agent("invoice-matcher", post_invoice)
        with opsroom.turn("invoice-matcher", intent="post 88213") as t:
            waiting = t.act_sync(post_invoice, invoice)
            room.approve(waiting)
            assert t.resume_sync(waiting.id) == opsroom.Done(...)

What decides is the gate itself; only its clock is the test's. Needs `opsroom[server]`.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import _stand_ins
from .acting import AnyAction, push
from .client import Opsroom
from .outcomes import Outcome, Pending

if TYPE_CHECKING:
    from .room import Opened

TESTER, SECOND = "tester", "second-tester"
ENOUGH = 400  # proposals that people agreed with: more than any level asks for
LONG_ENOUGH = timedelta(days=31)


class Room:
    """An opsroom to test against, and the people in it."""

    def __init__(self, opened: "Opened", client: Opsroom) -> None:
        self._opened = opened
        self.client = client

    def agent(self, name: str, *actions: AnyAction, policies: Sequence[str] = ()) -> str:
        """Store an agent that may touch these actions, and let it serve; its version.

        `policies` are Cedar texts that it obeys; without any, the shipped ones hold.
        """
        spec = {
            "model": {"model": "none"},
            "contracts": list(push(self.client, *actions)),
            "policies": [self._policy(name, n, text) for n, text in enumerate(policies, 1)],
        }
        self.client.post("/v1/artifacts/agent", {"name": name, "criticality": "advisory"})
        path = f"/v1/artifacts/agent/{name}/versions"
        version = f"agent/{name}@{self.client.post(path, {'spec': spec})['number']}"
        proposal = self.client.post("/v1/proposals", {"ref": version})
        self.client.post(f"/v1/proposals/{proposal['id']}/merge")
        return version

    def allow(self, agent: str, action: AnyAction) -> None:
        """Let an agent do this alone, as if people had agreed with it for a long time.

        The evidence is made up, and the clock goes on by a month; what judges it is real.
        """
        contract = f"contract/{action.name}"
        self._opened.agree(agent, contract, action.risk, ENOUGH)
        self.later(LONG_ENOUGH)
        draft = {"agent": agent, "scope": contract, "level": "bounded", "reason": "a test"}
        asked = self.client.post("/v1/widenings", draft)
        path = f"/v1/widenings/{asked['widening']['id']}/approve"
        self._as(TESTER).post(path, {"binding": asked["binding"]})

    def approve(self, waiting: Outcome[Any] | str, reason: str = "") -> None:
        """Have somebody approve exactly what is shown to them."""
        self._answer(waiting, "approve", reason=reason)

    def edit(
        self, waiting: Outcome[Any] | str, arguments: Mapping[str, Any], reason: str = "a test"
    ) -> None:
        """Have somebody approve it with other arguments."""
        self._answer(waiting, "edit", arguments=dict(arguments), reason=reason)

    def reject(self, waiting: Outcome[Any] | str, reason: str = "a test") -> None:
        self._answer(waiting, "reject", reason=reason)

    def kill(self, agent: str = "*", reason: str = "a test") -> None:
        """Turn the kill switch on, for one agent or for all."""
        self.client.post("/v1/kill-switch", {"agent": agent, "reason": reason})

    def later(self, by: timedelta) -> None:
        """Let time pass for the opsroom."""
        self._opened.clock.advance(by)

    def record(self, turn: str) -> Any:
        """The decision record of a turn: what was said, decided and done."""
        return self.client.get(f"/v1/turns/{turn}")

    def _answer(self, waiting: Outcome[Any] | str, verb: str, **said: Any) -> None:
        request = waiting.request if isinstance(waiting, Pending) else str(waiting)
        for name in (TESTER, SECOND):
            person = self._as(name)
            opened = person.post(f"/v1/inbox/{request}/open", {"evidence": True})
            care = {} if verb == "reject" else {"typed": opened["word"], "held_ms": 2000}
            body = {"binding": opened["shown"], **care, **said}
            answered = person.post(f"/v1/inbox/{request}/{verb}", body)
            if answered["request"]["state"] != "pending":
                break
        self.later(timedelta(minutes=1))  # past the grace in which an answer can be taken back

    def _policy(self, agent: str, number: int, cedar: str) -> str:
        name = f"{agent}-{number}"
        self.client.post("/v1/artifacts/policy", {"name": name})
        path = f"/v1/artifacts/policy/{name}/versions"
        return f"{name}@{self.client.post(path, {'spec': {'cedar': cedar}})['number']}"

    def _as(self, name: str) -> Opsroom:
        return self._opened.person(name)


@contextmanager
def fake() -> Iterator[Room]:
    """An opsroom of one's own, where everything in `opsroom` leads while the block lasts."""
    from .room import open_room

    with tempfile.TemporaryDirectory(prefix="opsroom-fake-") as folder:
        opened = open_room(Path(folder))
        try:
            _stand_ins.append(opened.client)
            yield Room(opened, opened.client)
        finally:
            _stand_ins.remove(opened.client)
            opened.close()
