"""How long does it take to decide recorded actions again, and is every verdict the same?

    python benchmarks/what_if.py [ACTIONS] [--out FILE]

The actions are judged and stored as the gate does it, two thousand a transaction, then decided
again under the very same policies (nothing may flip) and under stricter ones.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.governed_action import LOOK, agent_of

from opsroom.actions import caches, store, turning, whatif
from opsroom.actions.gate import History, judge
from opsroom.actions.model import Action, State, Turn
from opsroom.agents import queries as agents
from opsroom.app import Settings, open_runtime
from opsroom.app.acting import serve
from opsroom.app.runtime import SYSTEM, Runtime
from opsroom.grounding.tape import Tape
from opsroom.kit.db import Actor
from opsroom.policies.model import PolicySpec

RESULTS = Path(__file__).parent / "results" / "what_if.json"
LIMIT_S = 10.0
PER_TX = 2_000
CLERK = Actor("bench", "default", frozenset({"act"}), human=False, agent="clerk")
STRICT = PolicySpec(
    cedar="""
@id("all") permit (principal, action, resource);
@id("even") @verdict("escalate") @reason("every other") forbid (principal, action, resource)
when { context.arguments.order like "*0" };
"""
)


def filled(runtime: Runtime, count: int) -> None:
    """Judge and store so many actions."""
    with runtime.db.write(CLERK) as tx:
        draft = turning.TurnDraft(agent="clerk", intent="look at what came in")
        turn: Turn = turning.begin_turn(tx, draft, serve=serve)
    for start in range(0, count, PER_TX):
        with runtime.db.write(CLERK) as tx:
            manifest = agents.manifest(tx, "clerk", "production", 1)
            bundle = caches.bundle_of(manifest)
            version, spec = manifest.contracts["look"]
            for number in range(start, min(start + PER_TX, count)):
                judged = judge(
                    bundle,
                    spec,
                    {"order": f"o{number}"},
                    Tape({"look": LOOK}),
                    agent="clerk",
                    history=History(spent_last_day=Decimal(number % 97)),
                    now=tx.now,
                )
                action = Action(
                    id=tx.ids.new("act"),
                    turn=turn.id,
                    agent="clerk",
                    manifest=turn.manifest,
                    environment="production",
                    tool="look",
                    contract=version.ref,
                    contract_digest=version.digest,
                    arguments=judged.arguments,
                    digest=version.digest,
                    policy=bundle.digest,
                    verdict=judged.ruling.verdict,
                    reasons=judged.ruling.reasons,
                    state=State.DENIED,
                    proposed_at=tx.now,
                )
                store.add(tx, action, request=judged.request, binding={}, amount=None)


def main(arguments: Sequence[str]) -> int:
    """Print the figures; exit 1 where a verdict flips by itself, or it takes too long."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("actions", nargs="?", type=int, default=100_000)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        runtime = open_runtime(Settings(data=Path(folder)))
        agent_of(runtime)
        filled(runtime, options.actions)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        seconds: dict[str, float] = {}
        found: dict[str, whatif.WhatIf] = {}
        for name, policies in (("unchanged", None), ("stricter", [("strict", STRICT)])):
            began = time.perf_counter()
            with runtime.db.read(replace(SYSTEM, owner="bench")) as tx:
                since, until = tx.now - timedelta(days=7), tx.now + timedelta(seconds=1)
                found[name] = whatif.simulate(tx, policies, since=since, until=until)
            seconds[name] = round(time.perf_counter() - began, 2)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        runtime.close()
    for name, what in found.items():
        print(f"{name:10} {what.decided:,} in {seconds[name]:.2f} s, {what.flipped:,} flipped")
    print(f"memory grew by {grown:.0f} MB   limit {LIMIT_S:.0f} s")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    report = {
        "actions": options.actions,
        "seconds": seconds,
        "flipped": {name: what.flipped for name, what in found.items()},
        "grown_mb": round(grown),
        "limit_s": LIMIT_S,
    }
    options.out.write_text(json.dumps(report, indent=1) + "\n")
    same = found["unchanged"].decided == options.actions and not found["unchanged"].flips
    return 0 if same and max(seconds.values()) <= LIMIT_S else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
