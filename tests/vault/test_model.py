"""Where a secret may go, and how it is cited."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.kit import outbound
from opsroom.vault.errors import BrokenSecret, SecretElsewhere, SecretMissing, SecretUnfit
from opsroom.vault.model import (
    LONGEST,
    Opened,
    SecretDraft,
    StoredSecret,
    checked,
    from_environment,
    is_reference,
    parted,
    place_of,
    within,
)

ERP = "https://erp.example.com"


def draft(*places: str, value: str = "k3y") -> SecretDraft:
    return SecretDraft(value=value, places=places)


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("erp.example.com", ERP),
        ("https://ERP.Example.com:443/v1/orders?x=1", ERP),
        ("https://erp.example.com.", ERP),
        ("http://erp.example.com:8080", "http://erp.example.com:8080"),
        ("http://[::1]:80", "http://[::1]"),
        ("slack://", "slack://"),
        ("mailtos://smtp.example.com:587", "mailtos://smtp.example.com:587"),
    ],
)
def test_places_have_one_spelling(written: str, place: str) -> None:
    assert checked("erp", draft(written)).places == (place,)


@pytest.mark.parametrize(
    "written", ["", "https://", "https://user:pw@erp.example.com", "https://x:99999", "://x"]
)
def test_what_is_no_place_is_refused(written: str) -> None:
    with pytest.raises(BrokenSecret):
        checked("erp", draft(written))


@pytest.mark.parametrize(
    ("name", "value"),
    [("ERP", "k3y-k3y"), ("a/b", "k3y-k3y"), ("erp", " "), ("erp", "k3y" * LONGEST)],
)
def test_what_is_no_secret_is_refused_without_repeating_it(name: str, value: str) -> None:
    with pytest.raises(BrokenSecret) as refused:
        checked(name, draft(ERP, value=value))
    assert "k3y" not in str(refused.value)


def test_a_secret_goes_to_its_places_and_nowhere_else() -> None:
    opened = Opened("secret:erp", "k3y", frozenset({ERP}))
    assert opened.at(f"{ERP}/orders").value == "k3y"
    assert opened.key(f"{ERP}/hook") == "k3y"
    for other in ("http://erp.example.com", f"{ERP}:8443", "https://erp.example.com.evil.org"):
        with pytest.raises(SecretElsewhere):
            opened.at(other)
        with pytest.raises(SecretElsewhere):
            opened.key(other)


def test_the_address_of_a_service_stays_with_its_service() -> None:
    slack = "slack://T1/A2/s3cret"
    assert Opened("secret:chat", slack, frozenset({"slack://"})).address() == slack
    with pytest.raises(SecretElsewhere) as refused:
        Opened("secret:chat", "json://evil.org/x", frozenset({"slack://"})).address()
    assert "s3cret" not in str(refused.value)


def test_a_header_is_one_line() -> None:
    with pytest.raises(SecretUnfit) as refused:
        Opened("secret:erp", "a\r\nX-Evil: k3y", frozenset({ERP})).at(ERP)
    assert "k3y" not in str(refused.value)


@given(st.text("ab", min_size=6, max_size=20), st.text("ab", max_size=40))
def test_what_comes_back_is_scrubbed(value: str, around: str) -> None:
    assert value not in Opened("secret:erp", value, None).scrub(around + value + around)


@pytest.mark.parametrize(
    ("reference", "cites"),
    [
        ("secret:erp", True),
        ("OPSROOM_SECRET_ERP", True),
        ("secret:other/erp", False),
        ("secret:", False),
        ("PATH", False),
    ],
)
def test_references(reference: str, *, cites: bool) -> None:
    assert is_reference(reference) is cites


def test_a_version_cites_secrets_of_its_own_project_only() -> None:
    assert parted(within("secret:erp", "freight")) == ("freight", "erp")
    assert parted(within("secret:other/erp", "freight")) is None
    assert within("OPSROOM_SECRET_X", "freight") == "OPSROOM_SECRET_X"
    for unknown in (within("secret:other/erp", "freight"), within("PATH", "freight")):
        with pytest.raises(SecretMissing):
            from_environment({"PATH": "/bin", "secret:": "no"})(unknown)


def test_nothing_prints_a_value() -> None:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    known = StoredSecret(name="erp", places=(ERP,), set_by="ada", set_at=now, created_at=now)
    opened = Opened("secret:erp", "k3y-k3y", frozenset({ERP}))
    shown: list[Any] = [known, draft(ERP, value="k3y-k3y"), opened, opened.at(ERP)]
    assert "k3y-k3y" not in repr(shown)
    assert isinstance(opened.at(ERP), outbound.Secret)


def test_place_of_an_address_that_cannot_be_read() -> None:
    with pytest.raises(BrokenSecret):
        place_of("https://[::1")
