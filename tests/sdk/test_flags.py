"""The provider for OpenFeature, with the real SDK."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import EventDetails, ProviderEvent
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import Reason
from openfeature.provider import ProviderStatus
from tests.releases.samples import release

from opsroom.kit.db import Actor
from opsroom.openfeature import OpsroomProvider
from opsroom.releases import store
from opsroom.releases.model import State
from opsroom.sdk import Opsroom
from opsroom.testing import Room

WHO = EvaluationContext(targeting_key="customer-7")


def serve(client: Opsroom, ref: str) -> None:
    opened = client.post("/v1/proposals", {"ref": ref})
    client.post(f"/v1/proposals/{opened['id']}/merge")


def prompt(client: Opsroom, name: str, **spec: object) -> str:
    client.post("/v1/artifacts/prompt", {"name": name, "criticality": "advisory"})
    path = f"/v1/artifacts/prompt/{name}/versions"
    ref = f"prompt/{name}@{client.post(path, {'spec': spec})['number']}"
    serve(client, ref)
    return ref


@pytest.fixture
def flags(opened: Room) -> Iterator[OpenFeatureClient]:
    api.set_provider_and_wait(OpsroomProvider(), "opsroom")
    yield api.get_client("opsroom")
    api.clear_providers()


def test_a_prompt_is_a_text_or_an_object(
    opened: Room, flags: OpenFeatureClient, clerk: str
) -> None:
    prompt(opened.client, clerk, format="text", text="Say yes.")
    flag = f"prompt/{clerk}"
    found = flags.get_string_details(flag, "no")
    assert (found.value, found.variant, found.reason) == (
        "Say yes.",
        f"{flag}@1",
        Reason.STATIC,
    )
    assert flags.get_string_details(flag, "no").reason == Reason.CACHED
    whole = asyncio.run(flags.get_object_details_async(flag, {}, WHO))
    assert isinstance(whole.value, dict)
    assert (whole.value["format"], whole.value["arm"]) == ("text", "champion")
    assert whole.flag_metadata["digest"] == found.flag_metadata["digest"]


def test_an_agent_is_the_version_that_serves_the_subject(
    opened: Room, flags: OpenFeatureClient, clerk: str
) -> None:
    opened.agent(clerk)
    flag = f"agent/{clerk}"
    found = flags.get_object_details(flag, {}, WHO)
    assert isinstance(found.value, dict)
    assert (found.value["number"], found.value["arm"]) == (1, "champion")
    assert (found.variant, found.reason) == (f"{flag}@1", Reason.STATIC)
    assert flags.get_string_value(flag, "", WHO) == f"{flag}@1"


def test_subjects_keep_their_side_of_a_release(
    opened: Room, flags: OpenFeatureClient, clerk: str
) -> None:
    opened.agent(clerk)
    path = f"/v1/artifacts/agent/{clerk}/versions"
    opened.client.post(path, {"spec": {"model": {"model": "another"}}})
    half = release(State.CANARYING, step=2)
    runtime = opened._opened.runtime
    with runtime.db.write(Actor("system", "default", human=False)) as tx:
        store.add(tx, replace(half, id=f"rel_{clerk}", name=clerk), seed="s")
    who = [EvaluationContext(targeting_key=f"customer-{n}") for n in range(20)]
    first = [flags.get_string_details(f"agent/{clerk}", "", one) for one in who]
    again = [flags.get_string_details(f"agent/{clerk}", "", one) for one in who]
    assert {one.reason for one in first} == {Reason.SPLIT}
    assert {one.variant for one in first} == {f"agent/{clerk}@1", f"agent/{clerk}@2"}
    assert [one.variant for one in first] == [one.variant for one in again]


@pytest.mark.parametrize(
    ("flag", "who", "code"),
    [
        ("prompt/nothing-here", None, ErrorCode.FLAG_NOT_FOUND),
        ("dark-mode", WHO, ErrorCode.FLAG_NOT_FOUND),
        ("agent/nobody", WHO, ErrorCode.FLAG_NOT_FOUND),
        ("agent/nobody", None, ErrorCode.TARGETING_KEY_MISSING),
    ],
)
def test_what_goes_wrong_gives_the_default_and_says_why(
    flags: OpenFeatureClient, flag: str, who: EvaluationContext | None, code: ErrorCode
) -> None:
    found = flags.get_string_details(flag, "default", who)
    assert (found.value, found.error_code, found.reason) == ("default", code, Reason.ERROR)


def test_types_that_it_has_not(opened: Room, flags: OpenFeatureClient, clerk: str) -> None:
    chat = [{"role": "system", "content": "Say yes."}]
    prompt(opened.client, clerk, format="chat", messages=chat)
    flag = f"prompt/{clerk}"
    asked = (
        flags.get_boolean_details(flag, False),
        flags.get_integer_details(flag, 1),
        flags.get_float_details(flag, 1.5),
        flags.get_string_details(flag, ""),
    )
    assert {one.error_code for one in asked} == {ErrorCode.TYPE_MISMATCH}
    whole = flags.get_object_value(flag, {})
    assert isinstance(whole, dict)
    assert whole["messages"] == chat


def test_a_label_that_moves_is_told(opened: Room, flags: OpenFeatureClient, clerk: str) -> None:
    prompt(opened.client, clerk, format="text", text="one")
    flag = f"prompt/{clerk}"
    assert flags.get_string_value(flag, "") == "one"
    told: list[EventDetails] = []
    heard = threading.Event()

    def hear(details: EventDetails) -> None:
        told.append(details)
        heard.set()

    flags.add_handler(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED, hear)
    prompt(opened.client, clerk, format="text", text="two")
    assert heard.wait(60)
    assert told[0].flags_changed == [flag]
    assert flags.get_string_value(flag, "") == "two"
    assert flags.get_string_details(flag, "", WHO).variant == f"{flag}@2"


def test_where_nobody_answers_it_is_not_ready_and_says_so() -> None:
    with Opsroom("http://127.0.0.1:9") as nobody:
        api.set_provider(OpsroomProvider(nobody), "away")
        failed = threading.Event()
        flags = api.get_client("away")
        flags.add_handler(ProviderEvent.PROVIDER_ERROR, lambda _: failed.set())
        assert failed.wait(60)
        assert flags.get_provider_status() is ProviderStatus.ERROR
        found = flags.get_string_details("prompt/greeting", "hello")
        assert (found.value, found.error_code) == ("hello", ErrorCode.GENERAL)
        api.clear_providers()
