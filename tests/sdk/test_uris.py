"""Prompts by the URIs of MLflow."""

import pytest
from tests.installation import Shell
from tests.sdk.test_prompts import store

from opsroom.sdk import Opsroom
from opsroom.sdk.uris import BadPromptUri, asked_for


@pytest.mark.parametrize(
    ("uri", "asked"),
    [
        ("greeting", ("greeting", None, None)),
        ("prompts:/greeting@Staging", ("greeting", "staging", None)),
        ("prompts:/Desk.Greeting/3", ("desk.greeting", None, 3)),
        ("prompts://greeting@latest", ("greeting", "latest", None)),
    ],
)
def test_what_a_uri_asks_for(uri: str, asked: tuple[str, str | None, int | None]) -> None:
    assert asked_for(uri, None, None) == asked


@pytest.mark.parametrize(
    "uri", ["prompts:/", "prompts:/greeting", "prompts:/a/b/c", "prompts:/a@", "prompts:a@b", "prompts:/../a@b/1"]
)  # fmt: skip
def test_a_uri_that_cites_no_version_is_refused(uri: str) -> None:
    with pytest.raises(BadPromptUri):
        asked_for(uri, None, None)


def test_a_uri_and_a_label_are_one_too_many() -> None:
    with pytest.raises(BadPromptUri):
        asked_for("prompts:/greeting@staging", "production", None)


def test_programs_and_the_terminal_take_them(local: Opsroom, shell: Shell) -> None:
    store(local, "greeting", "Hello, {{ who }}.", "staging")
    assert local.prompt("prompts:/greeting@staging").render(who="Ada") == "Hello, Ada."
    assert local.prompt("prompts:/greeting/1").version == 1
    shown = shell.data("prompt", "show", "prompts:/greeting@staging")
    assert shown["version"]["number"] == 1
    assert shell.refused("prompt", "show", "prompts:/greeting")["code"] == "bad_prompt_uri"
