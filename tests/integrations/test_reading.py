"""Documents as others write them, and documents that are made to hurt."""

import pytest

from opsroom.integrations.errors import BadDocument
from opsroom.integrations.reading import DEEPEST, read_document

HEAD = "openapi: 3.0.0\n"


def test_keys_and_dates_stay_the_text_they_are() -> None:
    found = read_document(HEAD + "paths:\n  /a: {get: {responses: {200: {x: 2024-01-01}}}}\n")
    assert found["paths"]["/a"]["get"]["responses"] == {"200": {"x": "2024-01-01"}}
    assert read_document('{"openapi": "3.1.0"}') == {"openapi": "3.1.0"}


LAUGHING = "".join(
    f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" if n else "l0: &l0 [1]\n"
    for n in range(9)
)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("[1]", "openapi: 3"),
        ("a: b", "openapi: 3"),
        ("swagger: '2.0'", "openapi: 3"),
        ("openapi: 2.0.0", "3.0 and 3.1 are read"),
        ("{", "Expecting"),
        ("a: [", "document:"),
        (HEAD + "a: !!python/object/apply:os.system [id]", "tags"),
        (HEAD + LAUGHING, "more than 1000000 values"),
        ('{"openapi": "3.0.0", "a": ' + "[" * 2000 + "]" * 2000 + "}", ""),
        (
            '{"openapi": "3.0.0", "a": ' + "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1) + "}",
            "nested",
        ),
    ],
)
def test_what_is_not_read(text: str, why: str) -> None:
    with pytest.raises(BadDocument) as refused:
        read_document(text)
    assert why in str(refused.value)
