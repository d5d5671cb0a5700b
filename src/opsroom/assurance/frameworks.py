"""Frameworks, and which queries answer which of their controls.

Titles are our own short words; the texts are those of their publishers, and are not here. What
a framework asks of an organisation beyond its records (training, contracts, intentions) is
left out, and no control is called met.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Control:
    """What is asked, by the publisher's number, and the looks that answer. `test` is the one in
    opsroom's own suite that holds what the gate does about it.
    """

    id: str
    title: str
    looks: tuple[str, ...]
    test: str = ""


@dataclass(frozen=True, slots=True)
class Framework:
    title: str
    short: str
    controls: tuple[Control, ...]


_OVERSIGHT = ("approvals", "answers", "overrides", "stops")
_CHANGE = ("changes_reviewed", "labels_moved", "proposals", "gates", "releases")


def _aarm(number: int, title: str, test: str, *looks: str) -> Control:
    return Control(
        f"R{number}", title, looks, f"tests/safety/test_aarm.py::test_r{number}_{test}"
    )


FRAMEWORKS: dict[str, Framework] = {
    "aiact": Framework(
        "EU AI Act, Regulation (EU) 2024/1689",
        "EU AI Act",
        (
            Control(
                "Art. 9",
                "Risks are looked for and dealt with",
                ("gates", "attacks", "alerts", "drift"),
            ),
            Control(
                "Art. 12", "Events are recorded by themselves", ("journal", "turns", "actions")
            ),
            Control("Art. 14", "People oversee, override and stop", _OVERSIGHT),
            Control(
                "Art. 15",
                "Accurate, robust, and guarded against attacks",
                ("gates", "releases", "attacks", "drift"),
            ),
            Control("Art. 17", "The quality system manages changes", _CHANGE),
            Control("Art. 19", "Logs are kept for at least six months", ("reach", "verified")),
            Control(
                "Art. 26",
                "Whoever deploys watches over it and keeps logs",
                ("answers", "unknown", "alerts", "stops", "reach"),
            ),
            Control(
                "Art. 72",
                "It is watched after it went out",
                ("drift", "feedback", "alerts", "corrections"),
            ),
            Control("Art. 73", "Serious incidents are found and told", ("incidents", "told")),
        ),
    ),
    "soc2": Framework(
        "SOC 2, trust services criteria 2017",
        "SOC 2",
        (
            Control("CC6.1", "Access is limited", ("access", "credentials")),
            Control(
                "CC6.2",
                "People and credentials are admitted and removed",
                ("access", "credentials"),
            ),
            Control("CC6.3", "Roles are given and changed deliberately", ("access",)),
            Control(
                "CC7.2",
                "Anomalies are watched for",
                ("alerts", "attacks", "drift", "integrations"),
            ),
            Control("CC7.3", "Security events are judged", ("attacks", "incidents")),
            Control(
                "CC7.4", "Incidents are answered", ("incidents", "stops", "rollbacks", "told")
            ),
            Control("CC8.1", "Changes are authorised, tested and approved", _CHANGE),
        ),
    ),
    "iso42001": Framework(
        "ISO/IEC 42001:2023, annex A",
        "ISO 42001",
        (
            Control("A.3.2", "Roles are given", ("access",)),
            Control("A.4.2", "Resources are documented", ("inventory", "budgets")),
            Control("A.6.2.4", "Systems are verified and validated", ("gates", "judges")),
            Control("A.6.2.5", "Deployment is planned and approved", _CHANGE),
            Control(
                "A.6.2.6",
                "Operation is monitored",
                ("alerts", "unknown", "drift", "integrations", "feedback"),
            ),
            Control("A.6.2.8", "Events are logged", ("journal", "turns", "actions", "reach")),
            Control(
                "A.7.4",
                "Data are looked at for their quality",
                ("datasets", "labels_by_people"),
            ),
            Control("A.8.4", "Incidents are told", ("incidents", "told")),
            Control("A.9.2", "Use is responsible: people decide where it matters", _OVERSIGHT),
            Control("A.10.3", "Suppliers are watched", ("integrations", "quarantines")),
        ),
    ),
    "nist": Framework(
        "NIST AI Risk Management Framework 1.0",
        "NIST AI RMF",
        (
            Control("GOVERN 1.6", "Systems are inventoried", ("inventory",)),
            Control("GOVERN 2.1", "Roles and responsibilities are clear", ("access",)),
            Control("GOVERN 3.2", "Who oversees is defined", _OVERSIGHT),
            Control("MEASURE 2.3", "Performance is measured", ("gates", "judges")),
            Control(
                "MEASURE 2.4",
                "Behaviour in production is monitored",
                ("drift", "alerts", "turns"),
            ),
            Control(
                "MEASURE 2.7",
                "Security and resilience are evaluated",
                ("attacks", "quarantines", "integrations"),
            ),
            Control("MEASURE 3.3", "Users can report problems", ("feedback",)),
            Control(
                "MANAGE 2.4",
                "A system can be stopped or superseded",
                ("stops", "rollbacks", "retired"),
            ),
            Control(
                "MANAGE 4.1",
                "It is watched, and changes are managed",
                (*_CHANGE, "corrections"),
            ),
            Control("MANAGE 4.3", "Incidents are followed and told", ("incidents", "told")),
        ),
    ),
    "owasp-asi": Framework(
        "OWASP Top 10 for agentic applications (2025-12)",
        "OWASP agentic",
        (
            Control("ASI01", "Goal hijack", ("attacks", "refused")),
            Control("ASI02", "Tool misuse", ("actions", "unknown", "refused", "approvals")),
            Control("ASI03", "Identity and privilege", ("credentials", "access", "autonomy")),
            Control(
                "ASI04", "Supply chain", ("quarantines", "integrations", "changes_reviewed")
            ),
            Control("ASI05", "Code execution", ("actions", "refused")),
            Control("ASI06", "Memory and context poisoning", ("forgotten", "attacks")),
            Control("ASI07", "Communication between agents", ("attacks", "credentials")),
            Control("ASI08", "Cascading failures", ("budgets", "stops", "alerts")),
            Control(
                "ASI09", "Trust of people in agents", ("answers", "overrides", "oversight")
            ),
            Control("ASI10", "Rogue agents", ("stops", "autonomy", "retired", "drift")),
        ),
    ),
    # R1 to R6 are MUST there, R7 to R9 SHOULD.
    "aarm": Framework(
        "AARM 1.0, conformance requirements",
        "AARM",
        (
            _aarm(
                1,
                "Actions are intercepted before they happen",
                "what_is_denied_or_deferred_has_no_effect",
                "actions",
                "decided_first",
                "unknown",
            ),
            _aarm(
                2,
                "Context accumulates in a session",
                "what_a_turn_did_before_counts",
                "turns",
                "attacks",
            ),
            _aarm(
                3,
                "Policy and intent are evaluated",
                "rules_context_and_the_contract_all_have_a_say",
                "policies",
                "refused",
            ),
            _aarm(
                4,
                "Five decisions: allow, deny, modify, step up, defer",
                "there_are_five_decisions",
                "decisions",
                "answers",
            ),
            _aarm(
                5,
                "Receipts show tampering",
                "receipts_show_tampering_without_us",
                "journal",
                "verified",
                "reach",
            ),
            _aarm(
                6,
                "Actions are bound to identities",
                "actions_belong_to_a_person_an_agent_and_a_session",
                "credentials",
                "access",
            ),
            _aarm(
                7,
                "Straying from the request is noticed (by where arguments come from, not by embeddings)",
                "what_strays_from_what_was_asked_goes_to_a_person",
                "attacks",
                "refused",
            ),
            _aarm(
                8,
                "Telemetry is exported",
                "records_can_be_taken_away_as_they_happen_and_all_at_once",
                "turns",
                "journal",
            ),
            _aarm(
                9,
                "Least privilege",
                "a_credential_does_no_more_than_it_is_for",
                "autonomy",
                "budgets",
                "credentials",
            ),
        ),
    ),
}
