"""The door for coding agents, and the documentation as programs read it."""

from typing import Annotated, Protocol, cast

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from opsroom.access.http import Caller

from . import handbook
from .handbook import Section

router = APIRouter(tags=["coding"])
files = APIRouter(include_in_schema=False)


class Answers(Protocol):
    """A desk that is open, or opens when somebody first comes."""

    def answer(self, visit: None) -> Response: ...


@router.post("/v1/mcp")
def speak_mcp(request: Request, _: Caller) -> Response:
    """The Model Context Protocol (streamable HTTP) for coding agents: look things up, and propose.
    docs/how-to/coding-agents.md names the tools.
    """
    return cast("Answers", request.app.state.coding_desk).answer(None)


@router.get("/v1/docs")
def search_docs(q: Annotated[str, Query(max_length=200)]) -> list[Section]:
    """Sections of the documentation that have these words."""
    return handbook.search(q)


@files.get("/llms.txt")
def index() -> Response:
    """What the documentation has, for language models; see llmstxt.org."""
    return _markdown(handbook.page(handbook.INDEX).replace("](", "](/docs/"))


@files.get("/docs/{page:path}")
def read_docs(page: str) -> Response:
    """A page of the documentation, as Markdown."""
    return _markdown(handbook.page(page))


def _markdown(text: str) -> Response:
    return Response(text, media_type="text/markdown; charset=utf-8")
