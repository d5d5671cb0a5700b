"""Signposts shorten the way of a request and change nothing else."""

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient

from opsroom.app.signposts import Signposted, beginning


@pytest.mark.parametrize(
    ("path", "begins"),
    [
        ("/", ("",)),
        ("/prompts", ("prompts",)),
        ("/prompts/{name}/render", ("prompts",)),
        ("/v1/prompts", ("v1", "prompts")),
        ("/v1/prompts/{name}", ("v1", "prompts")),
        ("/v1", ("v1",)),
    ],
)
def test_a_path_begins_where_the_places_part(path: str, begins: tuple[str, ...]) -> None:
    assert beginning(path) == begins


def test_a_request_is_answered_as_without_them() -> None:
    router = APIRouter()
    for path in ("/", "/prompts", "/v1/prompts", "/v1/prompts/{name}"):
        router.add_api_route(path, lambda: None, methods=["GET"])
    plain, signed = FastAPI(), FastAPI()
    plain.include_router(router)
    signed.include_router(Signposted(router))
    for path in (
        "/",
        "/prompts",
        "/prompts/",
        "/v1/prompts/a",
        "/v1/prompts/a/b",
        "/v1",
        "/v2",
    ):
        for method in ("GET", "POST"):
            expected, got = (
                TestClient(app).request(method, path, follow_redirects=False)
                for app in (plain, signed)
            )
            assert (got.status_code, got.headers) == (expected.status_code, expected.headers)


def test_a_route_that_may_begin_with_anything_is_refused() -> None:
    router = APIRouter()
    router.add_api_route("/{anything}", lambda: None)
    with pytest.raises(ValueError, match="begin with"):
        Signposted(router)
