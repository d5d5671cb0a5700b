"""Programs written for Langfuse, Phoenix and MLflow, unmodified, with a token of ours."""

import re
import shutil
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from langfuse import Langfuse
from langfuse.api import AccessDeniedError, Error, NotFoundError, UnauthorizedError
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from tests.installation import Process, running
from tests.test_tutorial import BLOCK

from opsroom.importing.readers import read
from opsroom.kit.wire import plain
from opsroom.sdk import Opsroom

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "coming-from.md"
pytestmark = pytest.mark.slow

CHAT = {
    "format": "chat",
    "messages": [
        {"role": "system", "content": "You answer in {{ language }}."},
        {"role": "user", "content": "{{ question }}"},
    ],
    "variables": {"language": {}, "question": {}},
    "model": {"name": "gpt-9", "temperature": 0.2},
}


def text(words: str) -> dict[str, Any]:
    return {"format": "text", "text": words, "variables": {"who": {}}}


def add(admin: Opsroom, name: str, spec: dict[str, Any], message: str = "") -> int:
    body = {"spec": spec, "message": message}
    number: int = admin.post(f"/v1/artifacts/prompt/{name}/versions", body)["number"]
    return number


def produce(admin: Opsroom, name: str, number: int) -> None:
    opened = admin.post("/v1/proposals", {"ref": f"prompt/{name}@{number}"})
    admin.post(f"/v1/proposals/{opened['id']}/merge")


@pytest.fixture(scope="module")
def server(home_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    home = tmp_path_factory.mktemp("langfuse") / "home"
    shutil.copytree(home_template, home)
    with running(home) as process:
        yield process


@pytest.fixture(scope="module")
def admin(server: Process) -> Iterator[Opsroom]:
    with Opsroom(data_dir=server.folder) as client:
        yield client


@pytest.fixture(scope="module")
def secret(admin: Opsroom) -> str:
    made = admin.post("/v1/tokens", {"name": "support-desk", "roles": ["agent"]})
    return str(made["secret"])


@pytest.fixture
def langfuse(server: Process, secret: str) -> Iterator[Langfuse]:
    client = Langfuse(
        public_key=f"pk-{uuid4()}",
        secret_key=secret,
        base_url=server.url,
        tracer_provider=TracerProvider(),
    )
    yield client
    client.shutdown()


@pytest.fixture
def name(admin: Opsroom) -> str:
    """A prompt with three versions, the second of them in production."""
    name = f"greeting-{uuid4().hex[:8]}"
    admin.post("/v1/artifacts/prompt", {"name": name, "criticality": "advisory"})
    for words in ("one {{ who }}", "two {{ who }}", "three {{ who }}"):
        add(admin, name, text(words), words)
    produce(admin, name, 2)
    admin.put(f"/v1/artifacts/prompt/{name}/labels/staging", {"number": 3})
    return name


def test_prompts_by_label_and_version(langfuse: Langfuse, name: str) -> None:
    found = langfuse.get_prompt(name)
    assert (found.name, found.version, found.labels) == (name, 2, ["production"])
    assert (found.commit_message, found.variables) == ("two {{ who }}", ["who"])
    assert found.compile(who="Ada") == "two Ada"
    assert langfuse.get_prompt(name, version=1).compile(who="Ada") == "one Ada"
    staged = langfuse.get_prompt(name, label="staging")
    assert (staged.version, staged.labels) == (3, ["staging", "latest"])
    assert langfuse.get_prompt(name, label="latest").version == 3


def test_a_chat_prompt_in_a_folder(langfuse: Langfuse, admin: Opsroom) -> None:
    admin.post("/v1/artifacts/prompt", {"name": "support-answer", "criticality": "advisory"})
    produce(admin, "support-answer", add(admin, "support-answer", CHAT))
    found = langfuse.get_prompt("support/answer", type="chat")
    assert (found.name, found.config) == (
        "support/answer",
        {"model": "gpt-9", "temperature": 0.2},
    )
    assert found.compile(language="French", question="Why?") == [
        {"role": "system", "content": "You answer in French."},
        {"role": "user", "content": "Why?"},
    ]


def test_its_cache_goes_on_and_its_fallback_steps_in(
    langfuse: Langfuse, admin: Opsroom, name: str
) -> None:
    assert langfuse.get_prompt(name).version == 2
    produce(admin, name, 3)
    assert langfuse.get_prompt(name).version == 2
    assert langfuse.get_prompt(name, cache_ttl_seconds=0).version == 3
    spare = langfuse.get_prompt("nobody", fallback="Hello {{who}}", max_retries=0)
    assert (spare.is_fallback, spare.compile(who="Ada")) == (True, "Hello Ada")


def test_what_goes_wrong_is_what_its_sdk_knows(
    langfuse: Langfuse, admin: Opsroom, server: Process, name: str
) -> None:
    with pytest.raises(NotFoundError):
        langfuse.get_prompt("nobody", max_retries=0)
    louder = add(admin, name, text("{{ who | upper }}"))
    with pytest.raises(Error) as refused:
        langfuse.get_prompt(name, version=louder, max_retries=0)
    assert refused.value.body["error"]["code"] == "prompt_not_for_langfuse"
    nothing = admin.post("/v1/tokens", {"name": f"no-{name}", "roles": []})["secret"]
    for secret, error in (("wrong", UnauthorizedError), (nothing, AccessDeniedError)):
        other = Langfuse(
            public_key=f"pk-{uuid4()}",
            secret_key=secret,
            base_url=server.url,
            tracing_enabled=False,
        )
        with pytest.raises(error):
            other.get_prompt(name, max_retries=0)
        other.shutdown()


def test_its_spans_arrive(langfuse: Langfuse, admin: Opsroom) -> None:
    with langfuse.start_as_current_observation(name="answer", as_type="generation") as span:
        trace = span.trace_id
    langfuse.flush()
    assert [one["name"] for one in admin.get(f"/v1/traces/{trace}")] == ["answer"]


def test_the_how_to_page(
    admin: Opsroom,
    server: Process,
    secret: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = PAGE.read_text(encoding="utf-8")
    export = tmp_path / "langfuse.json"
    export.write_text(
        next(one["body"] for one in BLOCK.finditer(page) if one["name"] == export.name)
    )
    admin.post("/v1/imports", plain(read("langfuse", export)))
    monkeypatch.setenv("LANGFUSE_BASE_URL", server.url)
    monkeypatch.setenv("LANGFUSE_PUBLIC_KEY", "opsroom")
    monkeypatch.setenv("LANGFUSE_SECRET_KEY", secret)
    (code,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    known: dict[str, Any] = {}
    exec(compile(code, "<page>", "exec"), known)
    known["langfuse"].shutdown()
    assert known["asked"] == "Refund order A-1?"


@pytest.mark.parametrize("kind", ["phoenix", "phoenix-older", "mlflow", "langfuse"])
def test_spans_with_the_headers_of_others(
    server: Process, secret: str, admin: Opsroom, kind: str
) -> None:
    basic = "Basic " + b64encode(f"someone:{secret}".encode()).decode()
    path, headers = {
        "phoenix": ("/v1/traces", {"authorization": f"Bearer {secret}"}),
        "phoenix-older": ("/v1/traces", {"api_key": secret}),
        "mlflow": ("/v1/traces", {"x-mlflow-experiment-id": "0", "authorization": basic}),
        "langfuse": ("/api/public/otel/v1/traces", {"Authorization": basic}),
    }[kind]
    project = Resource({"openinference.project.name": "help-desk"})
    provider = TracerProvider(resource=project)
    exporter = OTLPSpanExporter(endpoint=server.url + path, headers=headers)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("tests").start_as_current_span("step") as span:
        span.set_attribute("text", "x" * 100_000)  # more than strangers may send
        trace = f"{span.get_span_context().trace_id:032x}"
    provider.shutdown()
    (found,) = admin.get(f"/v1/traces/{trace}")
    assert (found["name"], found["service"]) == ("step", "help-desk")
