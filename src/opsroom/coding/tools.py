"""The tools for coding agents, in one table: looks, and proposals that people decide about.

None approves, moves a label, answers the inbox or changes who may what: no tool names a route
that takes more than the permissions to read, to resolve and to propose (a test walks them).
"""

from .model import MOST_TEXT, Arguments, Question, Talk, Tool, choice, looks, number, text

KINDS = (
    "prompt",
    "agent",
    "contract",
    "policy",
    "dataset",
    "evaluator",
    "integration",
    "alert-rule",
    "channel",
)
PAGE = 20
MOST = 50
VERSIONS = "POST /v1/artifacts/{kind}/{name}/versions"
PROPOSALS = "POST /v1/proposals"
CASES = "POST /v1/traces/{trace_id}/dataset"
ARTIFACTS = "POST /v1/artifacts/{kind}"

_KIND = choice("Kind of artifact", KINDS)
_NAME = text("Name of the artifact, as refund-triage")
_AT = text("Version number, or a label such as production, staging or latest")
_LIMIT = {**number("How many", least=1, most=MOST), "default": PAGE}
_BEFORE = text("`next` of the page before (or the last id it listed): go on from there")


LOOKS: tuple[Tool, ...] = (
    looks(
        "what_needs_attention",
        "What needs somebody now, over everything: agents doing worse, what is stuck or broken.",
        "GET /v1/attention",
        {},
    ),
    looks(
        "list_artifacts",
        "Prompts, agents, contracts, datasets and so on by name, with their labels; `search` "
        "finds them by a part of the name.",
        "GET /v1/artifacts/{kind}",
        {
            "kind": _KIND,
            "search": text("Part of a name"),
            "after": text("`next` of the page before: go on from there"),
            "limit": _LIMIT,
        },
        optional=("search", "after", "limit"),
        cursor="after",
    ),
    looks(
        "show_artifact",
        "An artifact: owner, purpose, labels, and its latest version with its whole spec.",
        "GET /v1/artifacts/{kind}/{name}",
        {"kind": _KIND, "name": _NAME},
    ),
    looks(
        "list_versions",
        "Versions of an artifact, newest first.",
        "GET /v1/artifacts/{kind}/{name}/versions",
        {
            "kind": _KIND,
            "name": _NAME,
            "before": number("A version number: older ones", least=1, most=10**9),
            "limit": _LIMIT,
        },
        optional=("before", "limit"),
        cursor="before",
    ),
    looks(
        "show_version",
        "One version with its whole spec, by number or label.",
        "GET /v1/artifacts/{kind}/{name}/versions/{at}",
        {"kind": _KIND, "name": _NAME, "at": _AT},
    ),
    looks(
        "check_version",
        "What the linter of the kind says of a version, compared with the one before it.",
        "GET /v1/artifacts/{kind}/{name}/versions/{at}/lint",
        {"kind": _KIND, "name": _NAME, "at": _AT},
    ),
    looks(
        "diff_versions",
        "What changed between two versions, word by word.",
        "GET /v1/artifacts/{kind}/{name}/diff",
        {"kind": _KIND, "name": _NAME, "before": _AT, "after": _AT},
    ),
    looks(
        "list_dataset_items",
        "Items of a dataset: inputs, what is expected, splits.",
        "GET /v1/datasets/{name}/items",
        {
            "name": _NAME,
            "at": _AT,
            "split": text("Only this split"),
            "start": number("`next` of the page before: go on from there", most=10**9),
            "limit": _LIMIT,
        },
        optional=("at", "split", "start", "limit"),
        cursor="start",
    ),
    looks(
        "list_proposals",
        "Proposals to move a label to a version, newest first.",
        "GET /v1/proposals",
        {
            "state": choice("Only these", ("open", "merged", "withdrawn")),
            "kind": _KIND,
            "name": _NAME,
            "before": _BEFORE,
            "limit": _LIMIT,
        },
        optional=("state", "kind", "name", "before", "limit"),
        cursor="before",
    ),
    looks(
        "show_proposal",
        "A proposal: checks, what it still takes, reviews, and what was said line by line.",
        "GET /v1/proposals/{proposal_id}",
        {"proposal_id": text("Its id: prp_…")},
    ),
    looks(
        "list_eval_runs",
        "Evaluation runs, newest first.",
        "GET /v1/evals/runs",
        {"before": _BEFORE, "limit": _LIMIT},
        optional=("before", "limit"),
        cursor="before",
    ),
    looks(
        "show_eval_run",
        "One evaluation run: what was measured on what, and the scores with their intervals.",
        "GET /v1/evals/runs/{run_id}",
        {"run_id": text("Its id: run_…")},
    ),
    looks(
        "list_eval_results",
        "What an evaluation run found, item by item.",
        "GET /v1/evals/runs/{run_id}/results",
        {
            "run_id": text("Its id: run_…"),
            "after": text("The last item that was listed: go on from there"),
            "limit": _LIMIT,
        },
        optional=("after", "limit"),
        cursor="after",
    ),
    looks(
        "show_verdict",
        "The verdict of a gate: better, not worse, worse or undecided, and why.",
        "GET /v1/evals/verdicts/{digest}",
        {"digest": text("Digest of the verdict, as checks of proposals cite it")},
    ),
    looks(
        "list_releases",
        "Releases and their state: gating, shadowing, in_review, canarying, promoted …",
        "GET /v1/releases",
        {
            "active": {"type": "boolean", "description": "Only those that are under way"},
            "kind": _KIND,
            "name": _NAME,
            "environment": text("Only this environment"),
            "before": _BEFORE,
            "limit": _LIMIT,
        },
        optional=("active", "kind", "name", "environment", "before", "limit"),
        cursor="before",
    ),
    looks(
        "show_release",
        "Where a release stands, on what evidence, and what it waits for.",
        "GET /v1/releases/{release_id}",
        {"release_id": text("Its id: rel_…")},
    ),
    looks(
        "list_traces",
        "Traces of what agents did, newest first. `q` is the filter language: agent:claims "
        'status:error cost>0.05 duration>=300ms tool:pay "a text" -user:u1 (a OR b).',
        "GET /v1/traces",
        {
            "q": text("Filter; empty is all", most=1_000),
            "since": text("From this moment on, as 2026-01-31T08:00:00Z"),
            "until": text("Before this moment"),
            "before": _BEFORE,
            "limit": _LIMIT,
        },
        optional=("q", "since", "until", "before", "limit"),
        cursor="before",
    ),
    looks(
        "show_trace",
        "One trace, span by span: models, tools, what was said, tokens, cost, errors.",
        "GET /v1/traces/{trace_id}",
        {"trace_id": text("Its id: 32 hexadecimal digits", most=64)},
    ),
    looks(
        "list_alerts",
        "Alerts that somebody has to look at; with `everything`, the resolved ones too.",
        "GET /v1/alerts",
        {
            "everything": {"type": "boolean", "description": "Resolved ones too"},
            "before": _BEFORE,
            "limit": _LIMIT,
        },
        optional=("everything", "before", "limit"),
        cursor="before",
    ),
    looks(
        "show_alert",
        "One alert: the rule, what was found, who looks after it.",
        "GET /v1/alerts/{alert_id}",
        {"alert_id": text("Its id")},
    ),
    looks(
        "list_inbox",
        "What agents asked people, and waits. It is answered by people, in the inbox.",
        "GET /v1/inbox",
        {
            "agent": text("Only of this agent"),
            "tool": text("Only of this tool"),
            "after": text("`next` of the page before: go on from there"),
            "limit": _LIMIT,
        },
        optional=("agent", "tool", "after", "limit"),
        cursor="after",
    ),
    looks(
        "search_docs",
        "Search the documentation of opsroom: sections that have these words.",
        "GET /v1/docs",
        {"q": text("Words to look for")},
    ),
    looks(
        "read_docs",
        "A page of the documentation of opsroom, as Markdown.",
        "GET /docs/{page:path}",
        {"page": text("Address of the page, as how-to/release.md")},
    ),
)


def _version(given: Arguments) -> Talk:
    at = {"kind": given["kind"], "name": given["name"]}
    what = {"spec": given["spec"], "message": given["message"], "proposed": True}
    made = yield Question(route=VERSIONS, at=at, body=what)
    proposed = {
        "ref": f"{made['kind']}/{made['name']}@{made['number']}",
        "label": given.get("label", "production"),
        "title": given["message"],
        "description": given.get("description", ""),
    }
    opened = yield Question(route=PROPOSALS, body=proposed)
    return {
        "proposal": opened,
        "version": {key: made[key] for key in ("kind", "name", "number", "digest")},
        "page": f"/proposals/{opened['id']}",
        "next": "show_proposal says what the checks found, and what people still have to do",
    }


def _artifact(given: Arguments) -> Talk:
    body = {key: value for key, value in given.items() if key != "kind"}
    return (yield Question(route=ARTIFACTS, at={"kind": given["kind"]}, body=body))


def _case(given: Arguments) -> Talk:
    at = {"trace_id": given["trace_id"]}
    body = {key: value for key, value in given.items() if key != "trace_id"}
    return (yield Question(route=CASES, at=at, body=body))


PROPOSES: tuple[Tool, ...] = (
    Tool(
        name="new_artifact",
        about="Make an artifact that has no version yet, or find the one of that name. Nothing "
        "serves it before people have approved a version.",
        routes=(ARTIFACTS,),
        params={
            "kind": _KIND,
            "name": _NAME,
            "purpose": text("What it is for, in a sentence", most=1_000),
            "criticality": choice(
                "How much can go wrong", ("advisory", "assistive", "autonomous")
            ),
        },
        optional=frozenset({"criticality"}),
        talk=_artifact,
        proposes=True,
    ),
    Tool(
        name="propose_version",
        about="Store a new version of an artifact and open a proposal to move a label to it. "
        "People review and merge it; nothing changes until then, and where something would "
        "(datasets, and rules, evaluators and integrations that production does not name) "
        "it is refused. The spec is whole, as show_version gives it.",
        routes=(VERSIONS, PROPOSALS),
        params={
            "kind": _KIND,
            "name": _NAME,
            "spec": {"type": "object", "description": "The whole spec of the version"},
            "message": text("What changed, in a line; the title of the proposal", most=300),
            "description": text("Why, for whoever reviews it", most=MOST_TEXT),
            "label": text("The label that should move; production unless said"),
        },
        optional=frozenset({"description", "label"}),
        talk=_version,
        proposes=True,
    ),
    Tool(
        name="add_test_case",
        about="Add what was asked in a trace to a dataset as a candidate: nothing is measured "
        "on it until somebody has looked at it.",
        routes=(CASES,),
        params={
            "trace_id": text("Id of the trace", most=64),
            "dataset": text("Name of the dataset"),
            "expected": text("What should have come out; left out: what did", most=MOST_TEXT),
        },
        optional=frozenset({"expected"}),
        talk=_case,
        proposes=True,
    ),
)
TOOLS: dict[str, Tool] = {one.name: one for one in (*LOOKS, *PROPOSES)}
