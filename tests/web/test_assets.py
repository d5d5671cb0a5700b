import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from opsroom.web.assets import Assets


@pytest.fixture(scope="module")
def assets() -> Assets:
    return Assets()


@pytest.fixture(scope="module")
def client(assets: Assets) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=[assets.route()])) as client:
        yield client


def test_current_files_are_kept_for_ever(assets: Assets, client: TestClient) -> None:
    answer = client.get(assets.url("opsroom.css"))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["vary"] == "Accept-Encoding"


def test_files_of_an_older_release_are_answered_with_todays_and_not_kept(
    assets: Assets, client: TestClient
) -> None:
    old = assets.url("opsroom.css").replace(assets.digest, "0" * 16)
    answer = client.get(old)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-cache"


def test_files_are_compressed_once_and_only_for_who_takes_it(
    assets: Assets, client: TestClient
) -> None:
    url = assets.url("opsroom.js")
    plain = client.get(url, headers={"Accept-Encoding": "identity"})
    with client.stream("GET", url, headers={"Accept-Encoding": "gzip"}) as packed:
        raw = b"".join(packed.iter_raw())
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert gzip.decompress(raw) == plain.content
    assert len(raw) < len(plain.content) / 2


def test_a_file_that_did_not_change_is_not_sent_again(
    assets: Assets, client: TestClient
) -> None:
    url = assets.url("icon.svg")
    tag = client.get(url).headers["etag"]
    again = client.get(url, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "name", ["../render.py", "..%2frender.py", "vendor/htmx-LICENSE.txt", "missing.js", ""]
)
def test_nothing_else_is_served(assets: Assets, client: TestClient, name: str) -> None:
    with pytest.raises(Exception, match="there is nothing at"):
        client.get(f"/assets/{assets.digest}/{name}")


def test_a_page_cannot_name_a_file_that_is_not_there(assets: Assets) -> None:
    with pytest.raises(LookupError, match=r"missing\.js"):
        assets.url("missing.js")


def test_every_vendored_script_comes_with_its_licence() -> None:
    vendor = Path(__file__).parents[2] / "src/opsroom/web/static/vendor"
    scripts = {re.sub(r"-\d.*", "", file.name) for file in vendor.glob("*.js")}
    assert scripts == {"htmx", "uplot"}
    for script in scripts:
        assert (vendor / f"{script}-LICENSE.txt").stat().st_size > 300
