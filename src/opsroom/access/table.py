"""Every route and the permission it needs, in one table.

The guard reads it, the documentation is generated from it, and the tests walk it: each route
against no credential, every role, and foreign projects. A route that is missing here is
refused, and fails the build.
"""

PUBLIC = "public"

# The registry's pages are the same for every kind.
_KINDS = ("prompts", "agents", "datasets", "evaluators")
_OF_A_KIND = (
    ("GET", "", "read"),
    ("GET", "/{name}", "read"),
    ("GET", "/{name}/diff", "read"),
    ("GET", "/{name}/propose", "read"),
    ("POST", "/{name}/propose", "author"),
    ("GET", "/{name}/labels/{label}/rollback", "read"),
    ("POST", "/{name}/labels/{label}/rollback", "operate"),
)

ROUTES: dict[str, str] = {
    # app
    "GET /healthz": PUBLIC,
    "GET /readyz": PUBLIC,
    "GET /v1/openapi.json": PUBLIC,
    "GET /assets/{digest}/{name:path}": PUBLIC,
    # access
    "GET /login": PUBLIC,
    "POST /login": PUBLIC,
    "GET /login/once": PUBLIC,
    "POST /login/once": PUBLIC,
    "POST /logout": PUBLIC,
    "GET /people": "administer",
    "POST /v1/sessions": PUBLIC,
    "POST /v1/sessions/once": PUBLIC,
    "GET /v1/me": "resolve",
    "GET /v1/users": "administer",
    "POST /v1/users": "administer",
    "PUT /v1/users/{name}/roles": "administer",
    "PUT /v1/users/{name}/password": "administer",
    "POST /v1/users/{name}/link": "administer",
    "GET /v1/tokens": "administer",
    "POST /v1/tokens": "administer",
    "DELETE /v1/tokens/{token_id}": "administer",
    # journal
    "GET /": "read",
    "GET /audit": "audit",
    "POST /audit/verify": "audit",
    "GET /v1/events": "read",
    "GET /v1/journal": "audit",
    "GET /v1/journal/head": "audit",
    "GET /v1/journal/latest": "resolve",
    "POST /v1/journal/verify": "audit",
    "GET /v1/journal/export": "administer",
    # registry
    "GET /v1/artifacts/{kind}": "read",
    "POST /v1/artifacts/{kind}": "author",
    "GET /v1/artifacts/{kind}/{name}": "read",
    "GET /v1/artifacts/{kind}/{name}/versions": "read",
    "POST /v1/artifacts/{kind}/{name}/versions": "author",
    "GET /v1/artifacts/{kind}/{name}/versions/{at}": "read",
    "GET /v1/artifacts/{kind}/{name}/versions/{at}/lint": "read",
    "GET /v1/artifacts/{kind}/{name}/diff": "read",
    "GET /v1/artifacts/{kind}/{name}/labels": "read",
    "GET /v1/artifacts/{kind}/{name}/label-history": "read",
    "PUT /v1/artifacts/{kind}/{name}/labels/{label}": "author",
    "POST /v1/artifacts/{kind}/{name}/labels/{label}/rollback": "operate",
    "GET /v1/proposals": "read",
    "POST /v1/proposals": "author",
    "GET /v1/proposals/{proposal_id}": "read",
    "POST /v1/proposals/{proposal_id}/checks": "author",
    "POST /v1/proposals/{proposal_id}/reviews": "review",
    "POST /v1/proposals/{proposal_id}/merge": "author",
    "POST /v1/proposals/{proposal_id}/withdraw": "author",
    **{
        f"{method} /{kind}{rest}": needed
        for kind in _KINDS
        for method, rest, needed in _OF_A_KIND
    },
    "GET /proposals": "read",
    "GET /proposals/{proposal_id}": "read",
    "POST /proposals/{proposal_id}/approve": "review",
    "POST /proposals/{proposal_id}/request-changes": "review",
    "POST /proposals/{proposal_id}/merge": "author",
    "POST /proposals/{proposal_id}/withdraw": "author",
    "POST /proposals/{proposal_id}/checks": "author",
    # prompts
    "POST /v1/prompts/push": "author",
    "POST /v1/prompts/compare": "read",
    "POST /v1/prompts/{name}/render": "read",
    "GET /v1/prompts/{name}/read": "resolve",
    # datasets
    "POST /v1/datasets/{name}/versions": "author",
    "GET /v1/datasets/{name}/items": "read",
    # evals
    "GET /v1/evals/runs": "read",
    "POST /v1/evals/runs": "author",
    "GET /v1/evals/runs/{run_id}": "read",
    "GET /v1/evals/runs/{run_id}/results": "read",
    "POST /v1/evals/compare": "author",
    "POST /v1/evals/gate": "author",
    "GET /v1/evals/verdicts/{digest}": "read",
    "GET /evals": "read",
    "GET /evals/compare": "read",
    "POST /evals/compare": "author",
    "POST /evals/gate": "author",
    "GET /evals/runs/{run_id}": "read",
    "GET /evals/verdicts/{digest}": "read",
    # releases
    "GET /v1/resolve": "resolve",
    "GET /releases": "read",
    "GET /releases/{release_id}": "read",
    "GET /releases/{release_id}/sample": "read",
    "POST /releases/{release_id}/sample": "review",
    "POST /releases/{release_id}/approve": "review",
    "POST /releases/{release_id}/pause": "operate",
    "POST /releases/{release_id}/resume": "operate",
    "POST /releases/{release_id}/abort": "operate",
    "POST /releases/{release_id}/rollback": "operate",
    "GET /v1/releases": "read",
    "POST /v1/releases": "operate",
    "GET /v1/releases/{release_id}": "read",
    "GET /v1/releases/{release_id}/decisions": "read",
    "GET /v1/releases/{release_id}/series/{metric}": "read",
    "GET /v1/releases/{release_id}/sample": "read",
    "POST /v1/releases/{release_id}/sample": "review",
    "POST /v1/releases/{release_id}/advance": "operate",
    "POST /v1/releases/{release_id}/shadow": "observe",
    "POST /v1/releases/{release_id}/outcomes": "observe",
    "POST /v1/releases/{release_id}/security-events": "observe",
    "POST /v1/releases/{release_id}/reviews": "review",
    "POST /v1/releases/{release_id}/pause": "operate",
    "POST /v1/releases/{release_id}/resume": "operate",
    "POST /v1/releases/{release_id}/abort": "operate",
    "POST /v1/releases/{release_id}/rollback": "operate",
    # bringing in
    "POST /v1/imports": "import",
}
