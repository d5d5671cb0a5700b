"""The audit page: what happened, narrowed and paged by the address, and whether it is whole."""

import re
from html import unescape

import pytest
from playwright.sync_api import Page
from sqlalchemy import text as sql
from tests.pages import Site, holds

from opsroom.journal import checkpoints


def text(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_what_happened_is_told_in_words(shown: Site) -> None:
    page = text(shown.read("/audit"))
    assert "cat proposed version 2 of agent invoice-matcher for production" in page
    assert "invoice-matcher 1 → 2 passed its gate" in page
    assert "verified up to entry" in page


def test_the_address_narrows_it(shown: Site) -> None:
    page = text(shown.read("/audit?subject=prompt/house-tone&event=label.moved"))
    assert "ana rolled production of prompt house-tone back from 2 to 1" in page
    assert "a customer was promised a date" in page
    assert "quote-writer" not in page
    assert "Nothing like that" in shown.read("/audit?actor=nobody")


def test_it_is_paged_by_number(shown: Site) -> None:
    first = shown.read("/audit")
    following = re.search(r'href="(/audit\?before=(\d+))" rel="next"', first)
    assert following
    second = shown.read(following[1])
    assert f'<td class="num">{int(following[2]) - 1}</td>' in second
    assert f'<td class="num">{following[2]}</td>' not in second
    filtered = shown.read("/audit?actor=ben")
    assert re.search(r'href="/audit\?actor=ben&amp;before=\d+" rel="next"', filtered)


def test_the_chain_is_verified_and_that_is_on_record(site: Site) -> None:
    risk = site.person("risk")
    before = site.head()
    page = site.post("/audit/verify", by=risk, status=200)
    assert f"whole, all {before} entries" in text(page)
    assert site.head() == before + 1
    again = text(site.read("/audit", by=risk))
    assert "whole, verified to its end" in again
    assert f"{risk.name} verified the journal up to entry {before}" in again
    assert f"Record verified up to {before}" in text(site.read("/", by=risk))


def test_a_broken_chain_is_shown_and_not_put_on_record(site: Site) -> None:
    risk = site.person("risk")
    before = site.head()
    with site.api.db.engine.begin() as connection:
        connection.execute(
            sql("UPDATE journal SET record = replace(record, 'ana', 'eve') WHERE seq = 7")
        )
    page = text(site.post("/audit/verify", by=risk, status=422))
    assert "broken at entry 7" in page
    assert site.head() == before


def test_the_last_checkpoint_is_shown(site: Site) -> None:
    risk = site.person("risk")
    assert "Last checkpoint –" in text(site.read("/audit", by=risk))
    notary = site.api.app.state.notary
    signed = checkpoints.make(site.api.db, notary)
    assert f"Last checkpoint {signed.size} entries, signed" in text(
        site.read("/audit", by=risk)
    )
    notary.kept_file.write_text(signed.note.replace(f"\n{signed.size}\n", "\n7\n"))
    assert "is not to be trusted" in text(site.read("/audit", by=risk))
    site.post("/audit/verify", by=risk, status=422)


def test_the_audit_is_for_those_who_audit(shown: Site) -> None:
    for role in ("viewer", "author", "reviewer", "operator"):
        who = shown.person(role)
        assert "needs the permission" in shown.read("/audit", by=who, status=403)
        shown.post("/audit/verify", by=who, status=403)
        assert 'href="/audit"' not in shown.read("/", by=who).partition("<main")[2]


@pytest.mark.browser
def test_the_page_holds(page: Page, shown: Site, base: str) -> None:
    holds(page, shown, base, "/audit")
