"""The browser that page tests drive, and what every page of ours has to hold.

A test folder takes the fixtures in its `conftest.py`:

    from tests.browser import browser, page

    __all__ = ["browser", "page"]

and a test then reads (sign in by `page.context.add_cookies`):

    @pytest.mark.browser
    def test_overview(page: Page) -> None:
        with serving(app) as base:
            check_page(page, f"{base}/")
"""

import asyncio
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from granian.constants import Interfaces
from granian.server.embed import Server
from playwright.sync_api import Browser, Page, sync_playwright
from starlette.types import ASGIApp
from tests.patience import PATIENCE, eventually

CHROMIUM = Path(os.environ.get("OPSROOM_CHROMIUM", "/usr/bin/chromium"))
ARGUMENTS = (
    "--no-sandbox",
    "--headless=new",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDTHS = (1440, 1024, 768, 390)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
MAX_BYTES = 100_000
MAX_REQUESTS = 12


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. Once per module, because asyncio.run fails beside a live Playwright."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed; run tools/debian-packages")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A tab with nothing stored and nothing cached."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """`app` on a loopback port behind the server the product uses; yields its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started = threading.Event()
    running: dict[str, Any] = {}

    async def serve() -> None:
        server = Server(
            app,
            "127.0.0.1",
            port,
            interface=Interfaces.ASGI,
            log_enabled=False,
            websockets=False,
        )
        running.update(server=server, loop=asyncio.get_running_loop())
        started.set()
        await server.serve()
        # Answers that a closed tab left unfinished still call back into this loop.
        await asyncio.sleep(0.1)

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="page-server")
    thread.start()
    try:
        started.wait(PATIENCE)
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        running["loop"].call_soon_threadsafe(running["server"].stop)
        thread.join(PATIENCE)


class Watch:
    """What a page did while it was watched: requests, bytes, complaints."""

    def __init__(self, page: Page, base: str) -> None:
        self.requests: list[str] = []
        self.foreign: list[str] = []
        self.complaints: list[str] = []
        self.dialogs: list[str] = []
        self.bytes = 0
        self._host = urlsplit(base).netloc
        page.on("request", lambda request: self._requested(request.url))
        page.on("console", lambda line: self._said(line.type, line.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", self._asked)
        wire = page.context.new_cdp_session(page)
        wire.send("Network.enable")
        wire.send("Network.setCacheDisabled", {"cacheDisabled": True})
        wire.on("Network.loadingFinished", self._finished)

    def _requested(self, url: str) -> None:
        self.requests.append(url)
        parts = urlsplit(url)
        if parts.scheme not in {"data", "blob"} and parts.netloc != self._host:
            self.foreign.append(url)

    def _said(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(text)

    def _asked(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def _finished(self, event: dict[str, Any]) -> None:
        self.bytes += int(event["encodedDataLength"])


def check_page(
    page: Page,
    url: str,
    *,
    status: int = 200,
    max_bytes: int = MAX_BYTES,
    max_requests: int = MAX_REQUESTS,
) -> None:
    """Hold `url` to what every page promises.

    Cold: within weight and number of requests, none of them to another place, no complaint
    on the console. Light and dark: no accessibility rule violated. At four widths: nothing
    sticks out sideways.
    """
    watch = Watch(page, url)
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})
    page.emulate_media(color_scheme="light")
    response = page.goto(url, wait_until="load")
    assert response is not None
    assert response.status == status, f"{url} answered {response.status}"
    page.wait_for_timeout(150)
    assert watch.bytes <= max_bytes, f"{url} weighs {watch.bytes:,} bytes"
    assert len(watch.requests) <= max_requests, f"{url} asks {len(watch.requests)} times"
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        assert not violations(page), f"{url} in {scheme}:\n{violations(page)}"
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        sticking_out = _settled_overflow(page)
        assert not sticking_out, f"{url} at {width} px: {sticking_out}"
    assert not watch.foreign, f"{url} asked {watch.foreign}"
    expected = {f"the server responded with a status of {status}"}
    complaints = [
        line
        for line in watch.complaints
        if status < 400 or not any(e in line for e in expected)
    ]
    assert not complaints, f"{url} complained: {complaints}"
    assert not watch.dialogs


def violations(page: Page) -> str:
    """The accessibility rules the page violates, one line for each place; empty is good."""
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(AXE_SCRIPT)
    results = page.evaluate(VIOLATIONS)
    return "\n".join(
        f"{rule['id']}: {' '.join(map(str, node['target']))}: {node['html'][:160]}"
        for rule in results
        for node in rule["nodes"]
    )


def overflow(page: Page) -> list[str]:
    """What sticks out of the page sideways, or out of a box that hides what sticks out."""
    found: list[str] = page.evaluate(OVERFLOW)
    return found


def _settled_overflow(page: Page) -> list[str]:
    """`overflow`, once drawings have had time to follow a new width."""
    until = time.monotonic() + 10
    while (found := overflow(page)) and time.monotonic() < until:
        page.wait_for_timeout(50)
    return found


def shoot(page: Page, url: str, folder: Path, name: str) -> None:
    """Pictures of `url` light, dark and narrow, to be looked at by a person."""
    folder.mkdir(parents=True, exist_ok=True)
    page.goto(url)
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": 1440, "height": 900})
        page.wait_for_timeout(200)
        page.screenshot(path=folder / f"{name}-{scheme}.png", full_page=True)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(200)
    page.screenshot(path=folder / f"{name}-narrow.png", full_page=True)


def _wait_for(port: int) -> None:
    def listens() -> bool:
        with socket.socket() as probe:
            probe.settimeout(PATIENCE)
            return probe.connect_ex(("127.0.0.1", port)) == 0

    if not eventually(listens):
        raise TimeoutError(f"nothing listens on port {port}")


# All rules are run. What holds them stays in the browser: handing it over takes as long again.
VIOLATIONS = "() => axe.run({resultTypes: ['violations']}).then(found => found.violations)"
OVERFLOW = """() => {
  const root = document.scrollingElement, out = [];
  if (root.scrollWidth > root.clientWidth) out.push(`page: ${root.scrollWidth} > ${root.clientWidth}`);
  const scrolls = (node) => {
    for (let up = node.parentElement; up && up !== document.body; up = up.parentElement) {
      if (["auto", "scroll"].includes(getComputedStyle(up).overflowX)) return true;
      if (up.matches(".sr, dialog, svg")) return true;
    }
    return false;
  };
  for (const node of document.body.querySelectorAll("*")) {
    if (!node.offsetParent || node.matches(".sr, .skip, svg *") || scrolls(node)) continue;
    const box = node.getBoundingClientRect();
    const holder = node.closest(".card, .stat, .steps > li");
    const edge = holder && holder !== node ? holder.getBoundingClientRect().right : root.clientWidth;
    if (box.width > 1 && box.right > edge + 1) {
      out.push(`${node.tagName.toLowerCase()}.${node.className}: ${Math.round(box.right)} > ${Math.round(edge)}`);
    }
  }
  return out.slice(0, 5);
}"""
