"""Deciding how an agent is judged: over HTTP and on its page, and on record either way."""

from tests.actions.world import put
from tests.api import Api

EVALUATOR = {"type": "icontains", "value": "please", "metric": "polite"}


def test_it_is_decided_on_the_page_of_the_agent_and_read_over_http(sqlite_api: Api) -> None:
    put(sqlite_api.db, "evaluator", "polite", EVALUATOR, serve=True)
    put(sqlite_api.db, "agent", "clerk", {"model": {"model": "m"}}, serve=True)
    olga = sqlite_api.person("operator")
    html = {"Accept": "text/html"}
    page = olga.send("GET", "/agents/clerk", headers=html).text
    assert "Nobody judges it while it works." in page
    form = {"evaluators": "polite", "percent": "2.5", "most_a_day": "40"}
    answer = olga.send("POST", "/agents/clerk/scoring", data=form, headers=html)
    assert answer.status_code in {200, 303}, answer.text
    told = olga.get("/v1/scorings/clerk")
    assert told["wanted"] == {"evaluators": ["polite"], "share": 0.025, "most_a_day": 40}
    page = olga.send("GET", "/agents/clerk", headers=html).text
    assert "Judged up to" in page
    assert "2.5" in page
    assert olga.put("/v1/scorings/clerk", {"evaluators": []})["wanted"]["evaluators"] == []
    told = olga.refused("PUT", "/v1/scorings/clerk", {"evaluators": ["polite"], "share": 2})
    assert told.code == "bad_scoring"
    assert olga.refused("GET", "/v1/scorings/nobody").status == 404
