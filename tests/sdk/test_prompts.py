"""Prompts for programs: fast when warm, there when the server is not."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.installation import running
from tests.patience import PATIENCE

from opsroom.prompts.errors import PromptVariableMissing
from opsroom.sdk import Opsroom, RemoteError, Unreachable

SOON = 30.0  # seconds; generous, as the machine may be busy


def store(client: Opsroom, name: str, text: str, *labels: str) -> None:
    client.post("/v1/artifacts/prompt", {"name": name})
    spec = {"format": "text", "text": text, "variables": {"who": {}}}
    client.post(f"/v1/artifacts/prompt/{name}/versions", {"spec": spec, "labels": list(labels)})


def seen_within(seconds: float, happened: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if happened():
            return True
        time.sleep(0.02)
    return False


def test_a_prompt_is_fetched_once_and_rendered(local: Opsroom) -> None:
    store(local, "greeting", "Hello, {{ who }}.", "staging")
    first, second = local.prompt("greeting", "staging"), local.prompt("greeting", "staging")
    assert (first.version, first.reason, second.reason) == (1, "fresh", "cached")
    assert first.render(who="Ada") == second.render(who="Ada") == "Hello, Ada."
    with pytest.raises(PromptVariableMissing, match="who"):
        second.render()


def test_includes_come_along(local: Opsroom) -> None:
    store(local, "tone", "Be kind, {{ who }}.")
    local.post("/v1/artifacts/prompt", {"name": "greeting"})
    spec = {
        "format": "chat",
        "messages": [{"role": "system", "content": "{% include 'tone' %} Greet."}],
        "includes": {"tone": "tone"},
    }
    local.post("/v1/artifacts/prompt/greeting/versions", {"spec": spec})
    found = local.prompt("greeting", version=1)
    assert found.render(who="Ada") == [{"role": "system", "content": "Be kind, Ada. Greet."}]


def test_what_is_nowhere_is_an_error_without_a_fallback(local: Opsroom) -> None:
    with pytest.raises(RemoteError) as caught:
        local.prompt("missing")
    assert caught.value.code == "artifact_not_found"
    found = local.prompt("missing", fallback="Hello, {{ who }}.")
    assert (found.version, found.reason) == (None, "fallback")
    assert found.render(who="Ada") == "Hello, Ada."


def test_a_label_that_moves_is_seen_soon(home: Path) -> None:
    with running(home), Opsroom(data_dir=home) as author, Opsroom(data_dir=home) as program:
        store(author, "greeting", "one, {{ who }}", "staging")
        assert program.prompt("greeting", "staging").version == 1
        store(author, "greeting", "two, {{ who }}", "staging")
        assert seen_within(SOON, lambda: program.prompt("greeting", "staging").version == 2)
        store(author, "greeting", "three, {{ who }}")
        assert program.prompt("greeting", "latest").version == 3
        store(author, "greeting", "four, {{ who }}")
        assert seen_within(SOON, lambda: program.prompt("greeting", "latest").version == 4)


def test_a_warm_program_does_not_notice_that_the_server_hangs(home: Path) -> None:
    with running(home) as server, Opsroom(data_dir=home) as program:
        store(program, "greeting", "one, {{ who }}", "staging")
        assert program.prompt("greeting", "staging").version == 1
        server.pause()
        assert seen_within(
            PATIENCE, lambda: program.prompt("greeting", "staging").reason == "stale"
        )
        took: list[float] = []
        for _ in range(300):
            begun = time.perf_counter()
            assert program.prompt("greeting", "staging").render(who="Ada") == "one, Ada"
            took.append(time.perf_counter() - begun)
            time.sleep(0.01)
        assert sorted(took)[-3] < 0.005
        server.go_on()
        assert seen_within(
            PATIENCE, lambda: program.prompt("greeting", "staging").reason == "cached"
        )


def test_a_cold_program_goes_on_with_what_an_earlier_one_was_told(home: Path) -> None:
    with running(home) as server:
        with Opsroom(data_dir=home) as earlier:
            store(earlier, "greeting", "one, {{ who }}", "staging")
            earlier.prompt("greeting", "staging")
        server.pause()
        with Opsroom(data_dir=home) as cold:
            found = cold.prompt("greeting", "staging")
            assert (found.version, found.reason) == (1, "stale")
            assert found.render(who="Ada") == "one, Ada"
            assert cold.prompt("other", fallback="Hello.").reason == "fallback"
            begun = time.perf_counter()
            assert cold.prompt("third", fallback="Hello.").reason == "fallback"
            assert time.perf_counter() - begun < 0.005


def test_an_exact_version_never_gets_old(home: Path) -> None:
    with running(home) as server:
        with Opsroom(data_dir=home) as program:
            store(program, "greeting", "one, {{ who }}")
            assert program.prompt("greeting", version=1).reason == "fresh"
            server.pause()
            time.sleep(3)
            assert program.prompt("greeting", version=1).reason == "cached"
        with Opsroom(data_dir=home) as cold:
            assert cold.prompt("greeting", version=1).reason == "cached"


def test_nothing_usable_and_nobody_there() -> None:
    with Opsroom("http://127.0.0.1:9") as program, pytest.raises(Unreachable):
        program.prompt("greeting")


def test_a_forked_child_looks_for_itself(home: Path) -> None:
    with running(home), Opsroom(data_dir=home) as program:
        store(program, "greeting", "one, {{ who }}", "staging")
        assert program.prompt("greeting", "staging").version == 1
        child = os.fork()
        if child == 0:
            with Opsroom(data_dir=home) as other:
                store(other, "greeting", "two, {{ who }}", "staging")
            seen = seen_within(SOON, lambda: program.prompt("greeting", "staging").version == 2)
            os._exit(0 if seen else 1)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0


def test_many_threads_get_the_same_prompt(local: Opsroom) -> None:
    from concurrent.futures import ThreadPoolExecutor

    store(local, "greeting", "one, {{ who }}", "staging")
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: local.prompt("greeting", "staging"), range(200)))
    assert {one.version for one in found} == {1}
