"""How long one decision at the gate takes, in process: ground, ask the policies, say why.

    python benchmarks/gate_decision.py [DECISIONS]

The tape holds 30 pieces of 2 kB, half of them records, half of them prose; the bundle holds 100
policies beside the shipped ones, over 40 contracts. The call is an e-mail to two people with a
body of a kilobyte. Adding a piece to a tape is measured beside it, since a turn pays for that
once a piece and not once a decision.
"""

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from statistics import quantiles

from opsroom.actions.gate import judge
from opsroom.contracts.model import ContractSpec, Tier, Trust
from opsroom.grounding.grounds import ground
from opsroom.grounding.model import Piece, Voice
from opsroom.grounding.tape import Tape
from opsroom.policies.engine import Bundle
from opsroom.policies.model import PolicySpec
from opsroom.policies.shipped import NAME, shipped

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TEXT = {"type": "string"}
MAIL = ContractSpec(
    tool="send_email",
    description="Sends an e-mail.",
    input={
        "type": "object",
        "properties": {
            "to": {"type": "array", "items": TEXT},
            "subject": TEXT,
            "body": TEXT,
        },
        "required": ["to", "subject", "body"],
        "additionalProperties": False,
    },
    risk=Tier.EXTERNAL,
    returns=Trust.MIXED,
)
LOOK = ContractSpec(
    tool="find_contacts", description="Finds contacts.", risk=Tier.READ, returns=Trust.MIXED
)
ARGUMENTS = {
    "to": ["person17@corp.example", "ines.moreau@lumiere.example"],
    "subject": "What we agreed on",
    "body": "We agreed to meet again, and to send the figures before. " * 18,
}


def contracts() -> list[ContractSpec]:
    more = [
        ContractSpec(tool=f"change_thing_{n}", description="Changes a thing.", input=MAIL.input)
        for n in range(38)
    ]
    return [MAIL, LOOK, *more]


def policies() -> PolicySpec:
    return PolicySpec(
        cedar="\n".join(
            f'@id("limit-{n}") @verdict("escalate") @reason("too many of these")\n'
            f'forbid (principal, action == Action::"change_thing_{n % 38}", resource) '
            f"when {{ context.facts.calls_last_hour > {n} }};"
            for n in range(100)
        )
    )


def pieces() -> list[Piece]:
    people = [
        {"name": f"Person {n}", "email": f"person{n}@corp.example", "team": f"team {n % 7}"}
        for n in range(28)
    ]
    prose = (
        "Minutes of the meeting. " + "We spoke about figures, dates and who does what. " * 41
    )
    ask = "Write to Person 17 and to ines.moreau@lumiere.example what we agreed on."
    found = [Piece(voice=Voice.USER, text=ask)]
    for n in range(29):
        text = json.dumps(people) if n % 2 else f"{n}: {prose}"
        found.append(
            Piece(voice=Voice.TOOL, text=text[:2048] if n % 2 == 0 else text, tool=LOOK.tool)
        )
    return found


def timed(what: Callable[[], object], times: int) -> list[float]:
    taken: list[float] = []
    for _ in range(times):
        start = time.perf_counter()
        what()
        taken.append((time.perf_counter() - start) * 1e6)
    return taken


def line(name: str, taken: list[float]) -> str:
    cuts = quantiles(taken, n=100)
    return f"{name:34} p50 {cuts[49]:8.1f} µs   p99 {cuts[98]:8.1f} µs"


def main(decisions: int) -> int:
    """Measure, and print a table; fails if nothing was decided as it must be."""
    known = contracts()
    bundle = Bundle([(NAME, shipped()), ("limits", policies())], known)
    tape = Tape({one.tool: one for one in known})
    adding = [timed(partial(tape.add, one), 1)[0] for one in pieces()]
    judged = judge(bundle, MAIL, ARGUMENTS, tape, agent="scribe", now=NOW)
    if judged.ruling.error or not judged.grounding.grounds:
        print(f"no verdict: {judged.ruling}")
        return 1
    request = judged.request
    print(
        f"verdict: {judged.ruling.verdict.value}, grounded by {judged.grounding.facts['grounded_by']}"
    )
    print(line("add one piece to the tape", adding))
    print(line("ground a call", timed(lambda: ground(MAIL, ARGUMENTS, tape), decisions)))
    print(line("ask 108 policies", timed(lambda: bundle.decide(request), decisions)))
    whole = timed(
        lambda: judge(bundle, MAIL, ARGUMENTS, tape, agent="scribe", now=NOW), decisions
    )
    print(line("the whole decision", whole))
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5_000))
