"""Fields of routes are built when they are used, and then as FastAPI builds them."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import FastAPI, Query
from fastapi.testclient import TestClient

from opsroom.web import fields


@dataclass(frozen=True)
class Answer:
    count: int


def test_a_field_is_built_at_its_first_use() -> None:
    fields.put_off()
    fields.put_off()
    app = FastAPI()

    @app.get("/things")
    def things(count: Annotated[int, Query(ge=1)] = 1) -> Answer:
        return Answer(count)

    field = app.routes[-1].dependant.query_params[0]  # type: ignore[attr-defined]
    assert "_type_adapter" not in vars(field)
    with TestClient(app) as client:
        assert client.get("/things?count=3").json() == {"count": 3}
        refused = client.get("/things?count=0")
        described = client.get("/openapi.json").json()
    assert "_type_adapter" in vars(field)
    assert refused.status_code == 422
    assert refused.json()["detail"][0]["loc"] == ["query", "count"]
    assert described["paths"]["/things"]["get"]["parameters"][0]["schema"]["minimum"] == 1
