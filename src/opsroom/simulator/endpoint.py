"""The apprentice behind an address: chat completions on loopback, for a demo and for tests.

    with Endpoint() as there:
        ...  # OPSROOM_MODEL_URL=there.url, OPSROOM_ALLOWED_HOSTS=there.host

Every model name is answered by an apprentice of that name. `asked` holds the bodies of the
requests in the order of their arrival.
"""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from .apprentice import CHARS_A_TOKEN, Apprentice

MOST_BYTES = 10_000_000
Answer = Callable[[dict[str, Any]], str]


class _Server(ThreadingHTTPServer):
    request_queue_size = 256  # many cases are asked at once
    daemon_threads = True


class Endpoint:
    """The server; it runs on threads of its own until it is closed."""

    def __init__(self, *, port: int = 0, answer: Answer | None = None) -> None:
        self.asked: list[dict[str, Any]] = []
        self._answer = answer or _apprentice
        self._server = _Server(("127.0.0.1", port), _handler(self._reply))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        return f"http://{self.host}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _reply(self, body: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(body)
        text = self._answer(body)
        read = sum(len(one.get("content") or "") for one in body["messages"]) // CHARS_A_TOKEN
        wrote = max(1, len(text) // CHARS_A_TOKEN)
        message = {"role": "assistant", "content": text, "refusal": None}
        return {
            "id": "chatcmpl-apprentice",
            "object": "chat.completion",
            "created": 1_760_000_000,
            "model": body["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {
                "prompt_tokens": read,
                "completion_tokens": wrote,
                "total_tokens": read + wrote,
            },
        }


def _apprentice(body: dict[str, Any]) -> str:
    return Apprentice(name=str(body["model"])).answer(
        [(one["role"], one.get("content") or "") for one in body["messages"]],
        temperature=float(body.get("temperature") or 0),
        seed=int(body.get("seed") or 0),
    )


def _handler(
    reply: Callable[[dict[str, Any]], dict[str, Any]],
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = min(int(self.headers.get("content-length", "0")), MOST_BYTES)
            answer = json.dumps(reply(json.loads(self.rfile.read(length)))).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name
            """Nothing: whoever is curious looks at `asked`."""

    return Handler
