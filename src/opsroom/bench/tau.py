"""How much of recorded customer service the gate holds up. There is no attacker in it."""

import json
from pathlib import Path

from . import recorded
from .agentdojo import Count, Report, count, summed
from .replay import bundle_for, replay


def report(path: Path) -> Report:
    """Replay every run of `path`/runs; a domain's contracts are in tools_DOMAIN.json."""
    total = Count()
    for file in sorted((path / "runs").glob("*.jsonl*")):
        domain = file.name.partition("__")[0]
        tools = json.loads((path / f"tools_{domain}.json").read_text("utf-8"))
        contracts = recorded.contracts_from(tools)
        bundle = bundle_for(contracts)
        for run in recorded.runs(file):
            total += count(run, replay(run, contracts, bundle))
    return summed(total)
