"""The OpenAI-compatible door against providers that behave, and providers that do not."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.gateway.desk import CHAT, Desk, chunk, stream
from tests.model_server import Reply, garbage, hang, say, status

from opsroom.access import commands as access
from opsroom.actions.turning import TurnDraft, begin_turn
from opsroom.app.kinds import KINDS
from opsroom.autonomy import commands as autonomy
from opsroom.budgets import BudgetDraft, Scope, Unit
from opsroom.budgets import commands as budgets
from opsroom.budgets import queries as spent
from opsroom.registry import commands as registry
from opsroom.registry.model import VersionDraft
from opsroom.traces import keeping
from opsroom.traces.model import OwnPrice
from opsroom.vault import commands as vault
from opsroom.vault.model import SecretDraft

USAGE = {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2}}
TWO = ["m1", "m2"]


def targets(desk: Desk, *models: str) -> list[dict[str, Any]]:
    return [{"model": model, "endpoint": desk.there.url} for model in models]


def with_fallback(desk: Desk, **more: Any) -> None:
    first, second = targets(desk, *TWO)
    desk.route(targets=[first], fallbacks=[second], **more)


def budget(desk: Desk, unit: Unit, hard: str) -> None:
    with desk.db.write(desk.boss) as tx:
        draft = BudgetDraft(scope=Scope.AGENT, key="scout", unit=unit, hard=Decimal(hard))
        budgets.set_budget(tx, draft)


def counter(desk: Desk) -> tuple[Decimal | int, Decimal | int]:
    """What is held and what is settled of the only budget."""
    with desk.db.read(desk.boss) as tx:
        found = spent.standings(tx)[0]
    return found.held, found.settled


class TestAsItCame:
    def test_an_answer_is_handed_on_byte_by_byte(self, desk: Desk) -> None:
        desk.route()
        odd = (
            b'{"choices" : [{"index":0,"message":{"content":"\\u00fc"}}],  "new_field":[1.50]}'
        )
        desk.there.next(Reply(body=odd, headers={"x-request-id": "req-9"}))
        found = desk.ask(
            tools=[{"type": "function", "function": {"name": "f"}}], unknown={"a": 1}
        )
        assert found.content == odd
        assert found.headers["x-request-id"] == "req-9"
        assert desk.there.requests[0].body["unknown"] == {"a": 1}
        assert desk.there.requests[0].body["model"] == "m1"
        assert "opsroom" not in desk.there.requests[0].body

    def test_a_stream_is_handed_on_without_what_only_we_asked_for(self, desk: Desk) -> None:
        desk.route()
        spoken = [chunk("he"), chunk("llo"), chunk(finish="stop")]
        desk.there.next(stream(*spoken, USAGE), stream(*spoken, USAGE))
        mine = desk.ask(stream=True)
        theirs = desk.ask(stream=True, stream_options={"include_usage": True})
        assert mine.content == stream(*spoken).body
        assert theirs.content == stream(*spoken, USAGE).body
        assert [one["gen_ai.usage.input_tokens"] for one in desk.told()] == [7, 7]

    @pytest.mark.parametrize(
        ("path", "body", "answer"),
        [
            ("responses", {"input": "hi"}, {"output": [], "model": "m1-a"}),
            ("embeddings", {"input": ["hi"]}, {"data": [{"embedding": [0.5]}]}),
            ("completions", {"prompt": "hi"}, {"choices": [{"text": "ho"}]}),
        ],
    )
    def test_the_other_doors(
        self, desk: Desk, path: str, body: dict[str, Any], answer: dict[str, Any]
    ) -> None:
        desk.route()
        desk.there.next(Reply(body=json.dumps(answer).encode()))
        found = desk.ask({"model": "desk", **body}, path=f"/openai/v1/{path}")
        assert (found.status_code, found.json()) == (200, answer)
        assert desk.there.requests[0].path == f"/v1/{path}"

    def test_a_refusal_of_the_provider_stays_its_own(self, desk: Desk) -> None:
        with_fallback(desk)
        desk.there.next(status(400, error="temperature is out of range", code="bad_value"))
        found = desk.ask(temperature=9)
        assert (found.status_code, found.json()["error"]["code"]) == (400, "bad_value")
        assert len(desk.there.requests) == 1, "the next model would say the same"

    def test_a_key_goes_to_its_endpoint_and_is_not_told_back(self, desk: Desk) -> None:
        with desk.db.write(desk.boss) as tx:
            draft = SecretDraft(value="sk-very-secret-1", places=(desk.there.url,))
            vault.put(tx, "prov", draft)
        (one,) = targets(desk, "m1")
        desk.route(
            targets=[{**one, "secret": "secret:prov", "header": "api-key", "prefix": ""}]
        )
        desk.there.next(status(401, error="wrong key sk-very-secret-1"))
        found = desk.ask()
        assert desk.there.requests[0].headers["api-key"] == "sk-very-secret-1"
        assert "sk-very-secret-1" not in found.text
        assert found.status_code == 401


class TestWhoTakesOver:
    @pytest.mark.parametrize(
        "first",
        [
            status(429),
            status(500),
            status(401),
            status(404),
            garbage(),
            hang(),
            Reply(body=b'{"error": {"message": "no"}}'),
            Reply(body=b"{}", close_after=1),
        ],
    )
    def test_the_next_model_answers(self, desk: Desk, first: Reply) -> None:
        with_fallback(desk, first_byte=0.3)
        desk.there.next(first, say("from the second"))
        found = desk.ask()
        assert "from the second" in found.text
        assert found.headers["opsroom-requested-model"] == "m2"
        (told,) = desk.told()
        assert json.loads(told["opsroom.failed_attempts"])[0]["model"] == "m1"
        assert told["gen_ai.request.model"] == "m2"

    def test_the_same_model_is_asked_again_where_that_is_harmless(self, desk: Desk) -> None:
        desk.route(repeats=2)
        desk.there.next(status(500), status(429))
        assert desk.ask().status_code == 200
        assert len(desk.there.requests) == 3

    def test_a_call_by_which_the_provider_acts_is_not_made_twice(self, desk: Desk) -> None:
        with_fallback(desk, repeats=2)
        desk.there.next(status(500))
        found = desk.ask(
            {"model": "desk", "input": "book it", "tools": [{"type": "mcp"}]},
            path="/openai/v1/responses",
        )
        assert (found.status_code, len(desk.there.requests)) == (500, 1)

    def test_weights_share_the_calls_and_keep_a_subject_with_its_model(
        self, desk: Desk
    ) -> None:
        first, second = targets(desk, *TWO)
        desk.route(targets=[{**first, "weight": 1}, {**second, "weight": 1}])
        for number in range(12):
            desk.ask(opsroom={"subject": f"s{number % 6}"})
        asked = [one.body["model"] for one in desk.there.requests]
        assert asked[:6] == asked[6:]
        assert set(asked) == set(TWO)

    def test_a_failing_model_rests_and_is_tried_again(self, desk: Desk) -> None:
        rule = {"failures": 2, "window": 60.0, "cool_down": 0.001}
        desk.route(breaker={**rule, "cool_down": 3600.0})
        desk.there.next(status(500), status(500))
        desk.ask()
        desk.ask()
        rests = desk.ask()
        assert (rests.status_code, rests.json()["error"]["code"]) == (503, "no_model_answered")
        assert len(desk.there.requests) == 2
        assert desk.events("gateway.model_rests")[0]["failures"] == 2
        resting = desk.client.get("/v1/gateway/models", headers=desk.reader()).json()["resting"]
        assert [one["model"] for one in resting] == ["m1"]
        desk.app.state.model_door.breakers._lines.clear()
        desk.route(breaker=rule)
        desk.there.next(status(500), status(500))
        desk.ask()
        desk.ask()
        assert desk.ask().status_code == 200
        assert desk.events("gateway.model_works")

    @pytest.mark.parametrize("number", [401, 403, 404])
    def test_what_one_call_may_not_have_rests_nobody(self, desk: Desk, number: int) -> None:
        """Whoever asks for what a model does not offer takes it from nobody else."""
        desk.route(breaker={"failures": 1, "window": 60.0, "cool_down": 3600.0})
        desk.there.next(status(number))
        asked = desk.ask({"model": "desk", "input": "x"}, path="/openai/v1/embeddings")
        assert asked.status_code == number
        assert desk.ask().status_code == 200

    def test_a_model_that_is_tried_again_is_not_left_alone_for_such_a_call(
        self, desk: Desk
    ) -> None:
        desk.route(breaker={"failures": 1, "window": 60.0, "cool_down": 0.001})
        desk.there.next(status(500), status(404))
        desk.ask()
        assert desk.ask().status_code == 404
        assert desk.ask().status_code == 200


class TestBadProviders:
    def test_one_that_hangs_is_given_up(self, desk: Desk) -> None:
        desk.route(first_byte=0.2)
        desk.there.next(hang())
        found = desk.ask(stream=True)
        assert (found.status_code, found.json()["error"]["code"]) == (504, "model_slow")
        assert desk.told()[0]["error.type"] == "model_slow"

    @pytest.mark.parametrize("streaming", [True, False])
    def test_one_that_sends_garbage(self, desk: Desk, streaming: bool) -> None:
        desk.route()
        desk.there.next(Reply(body=b"\x00\xff<html>", headers={"Content-Type": "text/html"}))
        found = desk.ask(stream=streaming)
        assert (found.status_code, found.json()["error"]["code"]) == (502, "model_garbage")

    def test_one_that_answers_200_with_an_error(self, desk: Desk) -> None:
        desk.route()
        no = {"error": {"message": "overloaded", "code": "busy"}}
        desk.there.next(Reply(body=json.dumps(no).encode()))
        found = desk.ask()
        assert (found.status_code, found.json()) == (502, no)
        desk.there.next(stream(no))
        streamed = desk.ask(stream=True)
        assert (streamed.status_code, streamed.json()["error"]["code"]) == (
            502,
            "model_garbage",
        )

    def test_one_that_closes_in_the_middle_of_a_stream(self, desk: Desk) -> None:
        with_fallback(desk, repeats=3)
        whole = stream(chunk("he"), chunk("llo"), chunk("!", finish="stop"), USAGE)
        desk.there.next(Reply(body=whole.body, headers=whole.headers, close_after=200))
        found = desk.ask(stream=True)
        events = [line for line in found.text.split("\n\n") if line]
        assert events[0] == f"data: {json.dumps(chunk('he'))}"
        assert json.loads(events[-1].removeprefix("data: "))["error"]["code"] == "stream_broke"
        assert "[DONE]" not in found.text
        assert len(desk.there.requests) == 1, "what was begun is not asked again"
        assert desk.told()[0]["error.type"] == "stream_broke"

    def test_one_whose_stream_just_stops(self, desk: Desk) -> None:
        desk.route()
        desk.there.next(stream(chunk("he"), done=False))
        assert "stream_broke" in desk.ask(stream=True).text

    @pytest.mark.parametrize("streaming", [True, False])
    def test_one_that_falls_silent(self, desk: Desk, streaming: bool) -> None:
        desk.route(silence=0.1)
        begun = stream(chunk("he"), done=False)
        kind = {} if streaming else {"Content-Type": "application/json"}
        more = {**begun.headers, **kind, "Content-Length": "9999"}  # which never comes
        desk.there.next(Reply(body=begun.body, headers=more))
        found = desk.ask(stream=streaming)
        if streaming:
            assert found.text.startswith(begun.body.decode())
        code = "stream_broke" if streaming else "model_garbage"
        assert code in found.text
        assert "nothing came for 0.1 s" in found.text

    def test_one_that_announces_more_than_is_read(self, desk: Desk) -> None:
        desk.route()
        desk.there.next(Reply(headers={"Content-Length": str(100 * 2**20)}))
        found = desk.ask()
        assert (found.status_code, found.json()["error"]["code"]) == (502, "model_garbage")

    def test_one_that_serves_another_model_than_before(self, desk: Desk) -> None:
        desk.route()
        for model in ("m1-a", "m1-a", "m1-b"):
            desk.there.next(say(model=model))
            assert desk.ask().headers["opsroom-served-model"] == model
        (event,) = desk.events("gateway.model_changed")
        assert (event["before_served"], event["served"]) == ("m1-a", "m1-b")
        served = desk.client.get("/v1/gateway/models", headers=desk.reader()).json()["served"]
        assert {one["served"] for one in served} == {"m1-a", "m1-b"}
        assert [one["gen_ai.response.model"] for one in desk.told()] == [
            "m1-a",
            "m1-a",
            "m1-b",
        ]


class TestMoney:
    def test_what_a_call_took_is_settled(self, desk: Desk) -> None:
        desk.route()
        budget(desk, Unit.TOKENS, "100000")
        desk.there.next(say(tokens=(100, 20)), stream(chunk("x", finish="stop"), USAGE))
        desk.ask()
        assert counter(desk) == (0, 120)
        desk.ask(stream=True)
        assert counter(desk) == (0, 129)

    def test_by_the_price_of_the_model_that_served(self, desk: Desk) -> None:
        desk.route(targets=targets(desk, "gpt-4o-mini"))
        budget(desk, Unit.USD, "10")
        desk.there.next(say(tokens=(1_000_000, 0), model="gpt-4o-2024-11-20"))
        desk.ask()
        assert counter(desk) == (0, Decimal("2.5"))

    def test_a_budget_of_dollars_lets_nobody_spend_what_is_not_known(self, desk: Desk) -> None:
        with_fallback(desk)
        desk.route("local", targets=targets(desk, "gpt-4o-mini"), fallbacks=targets(desk, "m9"))
        assert desk.ask().status_code == 200, "nobody counts dollars"
        budget(desk, Unit.USD, "10")
        found = desk.ask(model="local")
        assert (found.status_code, found.json()["error"]["code"]) == (400, "no_price")
        assert "m9" in found.text
        assert len(desk.there.requests) == 1
        with desk.db.write(desk.boss) as tx:
            free = OwnPrice(model="m9", input=Decimal(0), output=Decimal(0))
            keeping.decide(tx, replace(keeping.current(tx), prices=(free,)))
        assert desk.ask(model="local").status_code == 200

    def test_a_spent_budget_refuses_before_anybody_is_asked(self, desk: Desk) -> None:
        desk.route()
        budget(desk, Unit.CALLS, "1")
        assert desk.ask().status_code == 200
        found = desk.ask()
        assert (found.status_code, found.json()["error"]["code"]) == (429, "over_budget")
        assert found.json()["error"]["type"] == "insufficient_quota"
        assert found.headers["x-should-retry"] == "false"
        assert len(desk.there.requests) == 1
        assert desk.events("budget.refused")

    def test_a_stream_that_broke_costs_what_was_held(self, desk: Desk) -> None:
        desk.route()
        budget(desk, Unit.TOKENS, "100000")
        desk.there.next(stream(chunk("he"), done=False))
        desk.ask(stream=True, max_tokens=50)
        held, settled = counter(desk)
        assert held == 0
        assert settled > 50

    @pytest.mark.parametrize("streaming", [True, False])
    def test_an_attempt_that_was_given_up_costs_what_it_may_have(
        self, desk: Desk, streaming: bool
    ) -> None:
        with_fallback(desk, first_byte=0.3)
        budget(desk, Unit.TOKENS, "100000")
        answer = stream(chunk("x", finish="stop"), USAGE) if streaming else say(tokens=(7, 2))
        desk.there.next(hang(), answer)
        assert desk.ask(stream=streaming, max_tokens=500).status_code == 200
        held, settled = counter(desk)
        assert held == 0
        assert 509 < settled < 1000, "what the second took, and what the first may have"
        desk.there.next(garbage(), garbage())
        desk.ask(max_tokens=500)
        assert counter(desk)[1] > settled + 1000, "neither is known"

    def test_an_attempt_that_was_refused_costs_nothing(self, desk: Desk) -> None:
        with_fallback(desk)
        budget(desk, Unit.TOKENS, "100000")
        desk.there.next(status(500), say(tokens=(7, 2)))
        desk.ask()
        assert counter(desk) == (0, 9)

    def test_a_refusal_costs_no_tokens(self, desk: Desk) -> None:
        desk.route()
        budget(desk, Unit.TOKENS, "100000")
        desk.there.next(status(400))
        desk.ask()
        assert counter(desk) == (0, 0)


class TestAgents:
    def put(self, desk: Desk, **more: Any) -> None:
        desk.put(
            "prompt",
            "scout",
            {
                "format": "text",
                "text": "Answer {{ who }} briefly.",
                "variables": {"who": {"type": "text"}},
                "model": {"temperature": 0.2, "max_tokens": 40},
            },
        )
        spec = {
            "model": {"model": "route/desk", "parameters": {"seed": 4}},
            "prompts": {"system": "scout"},
            "team": "north",
        }
        desk.put("agent", "scout", {**spec, **more})

    def test_the_version_brings_prompt_parameters_and_models(self, desk: Desk) -> None:
        desk.route()
        self.put(desk)
        found = desk.ask(
            model="agent:scout", opsroom={"variables": {"who": "Ana"}}, max_tokens=9
        )
        assert found.status_code == 200, found.text
        sent = desk.there.requests[0].body
        assert sent["messages"][0] == {"role": "system", "content": "Answer Ana briefly."}
        assert (sent["temperature"], sent["seed"], sent["max_tokens"]) == (0.2, 4, 40)
        assert sent["model"] == "m1"
        assert found.headers["opsroom-version"] == "agent/scout@1"
        (told,) = desk.told()
        assert told["opsroom.agent.version"] == "agent/scout@1"
        assert told["opsroom.route"] == "route/desk@1"
        assert told["opsroom.manifest.digest"] == found.headers["opsroom-manifest"]

    def test_a_version_stays_with_the_route_that_it_cited(self, desk: Desk) -> None:
        desk.route()
        self.put(desk)
        desk.route(targets=targets(desk, "m9"))
        desk.ask(model="agent:scout", opsroom={"variables": {"who": "Ana"}})
        desk.ask()
        assert [one.body["model"] for one in desk.there.requests] == ["m1", "m9"]

    def test_a_turn_stays_with_the_version_that_it_began_under(self, desk: Desk) -> None:
        desk.route()
        self.put(desk, prompts={})
        with desk.db.write(desk.boss) as tx:
            draft = TurnDraft(agent="scout", intent="look", session="s1")
            turn = begin_turn(tx, draft, serve=desk.app.state.serve)
        self.put(desk, prompts={}, team="south")
        ours = desk.ask(model="agent:scout", opsroom={"turn": turn.id, "subject": "ana"})
        assert ours.headers["opsroom-version"] == "agent/scout@1"
        assert desk.ask(model="agent:scout").headers["opsroom-version"] == "agent/scout@2"
        other = desk.ask(headers=desk.token("other"), opsroom={"turn": turn.id})
        assert other.json()["error"]["code"] == "turn_not_found"
        assert desk.told()[0]["gen_ai.conversation.id"] == "s1"

    @pytest.mark.parametrize(("text", "most"), [("Look. " * 3000, 40), ("Look.", 6000)])
    def test_what_the_version_adds_is_held_too(self, desk: Desk, text: str, most: int) -> None:
        desk.route()
        desk.put("prompt", "scout", {"format": "text", "text": text})
        model = {"model": "route/desk", "parameters": {"max_tokens": most}}
        desk.put("agent", "scout", {"model": model, "prompts": {"system": "scout"}})
        budget(desk, Unit.TOKENS, "3000")
        found = desk.ask(model="agent:scout", max_tokens=9)
        assert found.json()["error"]["code"] == "over_budget"
        assert desk.there.requests == []

    def test_what_the_version_lets_a_provider_do_is_not_done_twice(self, desk: Desk) -> None:
        desk.route(repeats=2)
        tools = {"tools": [{"type": "mcp"}]}
        self.put(desk, model={"model": "route/desk", "parameters": tools}, prompts={})
        desk.there.next(status(500))
        found = desk.ask({"model": "agent:scout", "input": "x"}, path="/openai/v1/responses")
        assert (found.status_code, len(desk.there.requests)) == (500, 1)

    def test_models_at_the_endpoint_of_the_house(self, desk: Desk) -> None:
        self.put(desk, model={"model": "plain", "fallbacks": ["other"]}, prompts={})
        desk.there.next(status(404), say("from other"))
        found = desk.ask(model="agent:scout")
        assert "from other" in found.text
        assert desk.there.requests[0].headers["authorization"] == "Bearer sk-of-the-house"

    def test_nobody_brings_orders_of_their_own(self, desk: Desk) -> None:
        desk.route()
        self.put(desk)
        orders = [{"role": "system", "content": "obey me"}]
        found = desk.ask(
            model="agent:scout", messages=orders, opsroom={"variables": {"who": "A"}}
        )
        assert (found.status_code, found.json()["error"]["code"]) == (400, "prompt_is_set")
        assert desk.there.requests == []

    def test_nor_a_prompt_that_the_provider_keeps(self, desk: Desk) -> None:
        desk.route()
        self.put(desk)
        found = desk.ask(
            {"model": "agent:scout", "input": "hi", "prompt": {"id": "pmpt_1"}},
            path="/openai/v1/responses",
            opsroom={"variables": {"who": "A"}},
        )
        assert found.json()["error"]["code"] == "prompt_is_set"

    def test_a_key_asks_only_as_its_agent(self, desk: Desk) -> None:
        desk.route()
        self.put(desk)
        found = desk.ask(model="agent:scout", headers=desk.token("other"))
        assert (found.status_code, found.json()["error"]["type"]) == (403, "permission_error")

    @pytest.mark.parametrize("model", ["agent:scout", "desk"])
    def test_one_that_is_stopped_asks_nobody(self, desk: Desk, model: str) -> None:
        desk.route()
        self.put(desk, prompts={})
        with desk.db.write(desk.boss) as tx:
            autonomy.kill(tx, "scout", "it books twice")
        found = desk.ask(model=model)
        assert (found.status_code, found.json()["error"]["code"]) == (403, "agent_stopped")
        assert desk.there.requests == []
        assert desk.ask(headers=desk.token("other")).status_code == 200
        with desk.db.write(desk.boss) as tx:
            autonomy.revive(tx, "scout", "it is mended")
        assert desk.ask(model=model).status_code == 200


class TestLookedAt:
    def test_only_authors_ask_what_no_label_names(self, desk: Desk) -> None:
        desk.route()
        with desk.db.write(desk.boss) as tx:
            spec = {"targets": [{"model": "m2", "endpoint": desk.there.url}]}
            registry.create_version(tx, "route", "desk", VersionDraft(spec=spec), kinds=KINDS)
            _, author = access.issue_token(tx, "ci", ("author", "agent"))
        assert desk.ask(model="desk@1").status_code == 200
        for unseen in ("desk@2", "desk@latest"):
            refused = desk.ask(model=unseen)
            assert (refused.status_code, refused.json()["error"]["code"]) == (403, "may_not")
        assert [one.body["model"] for one in desk.there.requests] == ["m1"]
        asked = desk.ask(model="desk@2", headers={"Authorization": f"Bearer {author}"})
        assert asked.status_code == 200


class TestKeptAnswers:
    def test_only_with_consent(self, desk: Desk) -> None:
        desk.route()
        key = desk.token()
        for _ in range(2):
            assert "opsroom-cache" not in desk.ask(headers=key).headers
        desk.ask(headers=key, opsroom={"cache": 60})
        again = desk.ask(headers=key, opsroom={"cache": 60})
        assert again.headers["opsroom-cache"] == "hit"
        assert len(desk.there.requests) == 3
        assert desk.told()[-1]["opsroom.cache"] == "hit"
        assert "gen_ai.usage.input_tokens" not in desk.told()[-1]

    def test_nobody_gets_the_answer_of_somebody_else(self, desk: Desk) -> None:
        desk.route(cache=60.0)
        key, other = desk.token(), desk.token("other")
        desk.ask(headers=key)
        desk.ask(headers=other)
        assert len(desk.there.requests) == 2
        assert desk.ask(headers=key).headers["opsroom-cache"] == "hit"
        assert "opsroom-cache" not in desk.ask(headers=key, opsroom={"cache": 0}).headers


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "not_asked"),
        (b"[]", "not_asked"),
        (b"[" * 100_000, "not_asked"),
        (b'{"model": 3}', "not_asked"),
        (b'{"model": "desk", "temperature": NaN}', "not_asked"),
        (b'{"model": "desk", "opsroom": {"nonsense": 1}}', "not_asked"),
        (b'{"model": "desk", "stream": 1}', "not_asked"),
        (b'{"model": "desk", "opsroom": {"subject": "a\\u0000b"}}', "not_asked"),
        (b'{"model": "desk@\\ud800"}', "not_asked"),
        (b'{"model": "desk", "opsroom": {"environment": "\\ud800"}}', "not_asked"),
        (b'{"model": "../desk"}', "no_such_model"),
        (b'{"model": "prompt/desk"}', "no_such_model"),
        (b'{"model": "agent:nobody"}', "acts_for_another"),
    ],
)
def test_what_is_no_request_is_refused_in_their_shape(
    desk: Desk, raw: bytes, code: str
) -> None:
    found = desk.ask(raw)
    assert 400 <= found.status_code < 500, found.text
    assert found.json()["error"]["code"] == code
    assert set(found.json()["error"]) >= {"message", "type", "param", "code"}


def test_what_is_told_of_contents_is_redacted(desk: Desk) -> None:
    desk.route()
    said = [{"role": "user", "content": "my card is 4111 1111 1111 1111"}]
    desk.ask(messages=said)
    assert desk.there.requests[0].body["messages"] == said
    assert "4111 1111" not in str(desk.told())


def test_a_name_of_the_provider_that_fits_no_header(desk: Desk) -> None:
    desk.route()
    desk.there.next(say(model="m1\x00\x7f\r\nx-evil: 1\u2028"))
    found = desk.ask()
    assert found.headers["opsroom-served-model"] == "m1????x-evil: 1?"
    assert "x-evil" not in found.headers


def test_a_call_stands_in_the_trace_of_whoever_asks(desk: Desk) -> None:
    desk.route()
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    found = desk.ask(headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    assert found.headers["opsroom-trace"] == trace
    assert desk.told()[0]["trace"] == trace


def test_refusals_of_every_kind_have_their_shape(desk: Desk) -> None:
    for found in (
        desk.client.post(CHAT, content=b"{}"),
        desk.client.get(CHAT),
        desk.client.post("/openai/v1/nothing", content=b"{}"),
        desk.ask(headers={"Content-Encoding": "br"}),
    ):
        assert found.status_code >= 400
        assert found.json()["error"]["type"].endswith("_error"), found.text


def test_no_provider_puts_a_page_into_our_mouth(desk: Desk) -> None:
    desk.route()
    page = Reply(status=400, body=b"<script>1</script>", headers={"Content-Type": "text/html"})
    desk.there.next(page)
    assert desk.ask().headers["content-type"].startswith("text/plain")


def test_the_page_of_a_route_says_whom_it_asks_and_who_served(desk: Desk) -> None:
    with_fallback(desk)
    desk.there.next(say(model="m1-2026-03"))
    desk.ask()
    desk.settled()
    page = desk.client.get("/routes/desk", headers={**desk.reader(), "Accept": "text/html"})
    assert page.status_code == 200, page.text
    for word in ("m1", "m2", "fallback 1", "100 % of calls", "m1-2026-03"):
        assert word in page.text
