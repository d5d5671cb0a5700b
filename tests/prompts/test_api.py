"""What prompts have over HTTP beside the registry's addresses."""

from typing import Any

import pytest
from tests.api import Api, Caller


def text(words: str, **rest: Any) -> dict[str, Any]:
    return {"format": "text", "text": words, **rest}


def push(caller: Caller, *prompts: tuple[str, dict[str, Any]]) -> Any:
    body = {"prompts": [{"name": name, "spec": spec} for name, spec in prompts]}
    return caller.post("/v1/prompts/push", body)


def test_a_reading_has_all_it_includes(api: Api) -> None:
    author, agent = api.program("author"), api.program("agent")
    push(
        author,
        ("outer", text("{% include 'middle' %}", includes={"middle": "middle"})),
        ("middle", text("{% include 'inner' %}", includes={"inner": "inner"})),
        ("inner", text("Be kind.")),
    )
    found = agent.get("/v1/prompts/outer/read", version=1)
    assert (found["number"], found["label"]) == (1, None)
    assert set(found["includes"]) == {"middle@1", "inner@1"}
    assert found["spec"]["includes"] == {"middle": "middle@1"}


def test_a_reading_is_sent_once(sqlite_api: Api) -> None:
    author = sqlite_api.program("author")
    push(author, ("greeting", text("Hello.")))
    author.put("/v1/artifacts/prompt/greeting/labels/staging", {"number": 1})
    address = "/v1/prompts/greeting/read?label=staging"
    first = author.send("GET", address)
    again = author.send("GET", address, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    push(author, ("greeting", text("Hello!")))
    author.put("/v1/artifacts/prompt/greeting/labels/staging", {"number": 2})
    moved = author.send("GET", address, headers={"If-None-Match": first.headers["etag"]})
    assert moved.json()["number"] == 2


def test_agents_read_but_do_not_look_around(sqlite_api: Api) -> None:
    push(sqlite_api.program("author"), ("greeting", text("Hello.")))
    agent = sqlite_api.program("agent")
    assert agent.get("/v1/prompts/greeting/read", label="latest")["number"] == 1
    assert agent.refused("GET", "/v1/artifacts/prompt").code == "may_not"
    refusal = agent.refused("GET", "/v1/prompts/greeting/read?label=production")
    assert (refusal.status, refusal.code) == (404, "version_not_found")


@pytest.mark.parametrize(
    ("bad", "code", "place"),
    [
        (("x", text("{{ a")), "prompt_template_broken", "prompt 'x', text"),
        (("x", text("{{ a.b() }}", variables={"a": {}})), "prompt_template_refused", "prompt 'x', text"),
        (("x", text("{% include 'y' %}", includes={"y": "first@9"})), "version_not_found", None),
        (("x", text("{% include 'y' %}")), "prompt_include_undeclared", "prompt 'x', text"),
        (("first", text("again")), "prompt_twice", None),
        (("x", text("x", colour="red")), "bad_request", "body.prompts.1.spec.colour"),
        (("x", {"format": "text"}), "prompt_wrong", "text"),
        (("UPPER", text("x")), "bad_name", None),
        (("x", text("x" * 10_000_000)), "prompt_too_large", "the template text"),
    ],
)  # fmt: skip
def test_one_bad_prompt_stops_all(
    api: Api, bad: tuple[str, dict[str, Any]], code: str, place: str | None
) -> None:
    author = api.program("author")
    body = {"prompts": [{"name": n, "spec": s} for n, s in [("first", text("one")), bad]]}
    refusal = author.refused("POST", "/v1/prompts/push", body)
    assert refusal.code == code
    assert refusal.hint
    assert place is None or refusal.facts["place"].startswith(place)
    assert author.get("/v1/artifacts/prompt")["items"] == []


def test_prompts_that_include_each_other_in_a_circle(sqlite_api: Api) -> None:
    author = sqlite_api.program("author")
    ring = [
        {"name": f"p{n}", "spec": text("{% include 'i' %}", includes={"i": f"p{(n + 1) % 3}"})}
        for n in range(3)
    ]
    refusal = author.refused("POST", "/v1/prompts/push", {"prompts": ring})
    assert (refusal.status, refusal.code) == (422, "prompt_include_cycle")
    assert refusal.facts["chain"] == "p0 → p1 → p2 → p0"


def test_a_long_chain_ends_in_an_error_and_not_in_a_crash(sqlite_api: Api) -> None:
    chain = [
        {"name": f"p{n}", "spec": text("{% include 'i' %}", includes={"i": f"p{n + 1}"})}
        for n in range(2000)
    ]
    body = {"prompts": [*chain, {"name": "p2000", "spec": text("end")}]}
    refusal = sqlite_api.program("author").refused("POST", "/v1/prompts/push", body)
    assert refusal.code == "prompt_include_too_deep"


def test_comparing_says_what_a_push_does_and_stores_nothing(api: Api) -> None:
    author, viewer = api.program("author"), api.program("viewer")
    push(author, ("tone", text("Be kind.")))
    folder = {
        "prompts": [
            {"name": "tone", "spec": text("Be brief.")},
            {"name": "greeting", "spec": text("{% include 't' %}", includes={"t": "tone"})},
        ]
    }
    before = api.program("risk").get("/v1/journal/head")["seq"]
    found = viewer.post("/v1/prompts/compare", folder)
    assert [(one["name"], one["outcome"]) for one in found] == [
        ("tone", "changed"),
        ("greeting", "new"),
    ]
    assert author.get("/v1/artifacts/prompt/tone")["latest"]["number"] == 1
    assert author.refused("GET", "/v1/artifacts/prompt/greeting").code == "artifact_not_found"
    # only the risk token itself was journalled in between
    assert api.program("risk").get("/v1/journal/head")["seq"] <= before + 1
    stored = author.post("/v1/prompts/push", folder)
    assert [one["version"]["digest"] for one in stored] == [
        one["version"]["digest"] for one in found
    ]


def test_a_prompt_is_tried_out(sqlite_api: Api) -> None:
    author = sqlite_api.program("author")
    push(author, ("greeting", text("Hello, {{ who }}.", variables={"who": {}})))
    trial = "/v1/prompts/greeting/render"
    assert author.post(trial, {"variables": {"who": "Ada"}})["text"] == "Hello, Ada."
    refusal = author.refused("POST", trial, {"variables": {}})
    assert (refusal.code, refusal.exit_code) == ("prompt_variable_missing", 2)


def test_a_template_bomb_is_stopped(sqlite_api: Api) -> None:
    author = sqlite_api.program("author")
    loops = "{% for a in xs %}" * 6 + "{{ a }}" + "{% endfor %}" * 6
    push(author, ("bomb", text(loops, variables={"xs": {"type": "list"}})))
    body = {"variables": {"xs": list(range(100))}}
    refusal = author.refused("POST", "/v1/prompts/bomb/render", body)
    assert (refusal.status, refusal.code) == (413, "prompt_too_costly")
