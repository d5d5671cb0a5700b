"""The sample pages in a real browser: what every page promises, and what the scripts add."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser import Watch, check_page, overflow, serving, violations
from tests.web.sample.app import build
from tests.web.sample.hostile import PAYLOADS

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with serving(build()) as base:
        yield base


@pytest.mark.parametrize(
    "path", ["/", "/moves", "/texts", "/forms", "/nothing", "/sign-in", "/live"]
)
def test_every_page_holds(page: Page, base: str, path: str) -> None:
    check_page(page, base + path)


def test_the_page_that_is_not_there_holds_too(page: Page, base: str) -> None:
    check_page(page, f"{base}/nowhere", status=404)


def test_hostile_text_stays_text(page: Page, base: str) -> None:
    watch = Watch(page, base)
    page.goto(f"{base}/hostile")
    expect(page.locator("ops-band-plot canvas")).to_have_count(len(PAYLOADS))
    page.keyboard.press("?")
    expect(page.locator("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type("alert")
    expect(page.locator("dialog [role=option]").first).to_be_visible()
    assert watch.dialogs == []
    assert watch.foreign == []
    assert watch.complaints == []
    assert page.url == f"{base}/hostile"
    assert page.evaluate(INERT) == []
    shown = page.locator("dd").all_inner_texts()
    expect(page.locator(".hidden-sign").first).to_be_visible()
    for text in ("<script>alert(1)</script>", "{{ 7*7 }}", "<plaintext>"):
        assert any(text in line for line in shown)


def test_pages_are_whole_without_scripts(browser: Browser, base: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{base}/moves")
    expect(page.locator("ops-band-plot svg.poster")).to_be_visible()
    page.get_by_text("Show as table").click()
    expect(page.locator(".twin tbody tr")).to_have_count(40)
    expect(page.locator(".js-only").first).to_be_hidden()
    page.set_viewport_size({"width": 390, "height": 800})
    page.get_by_text("Menu").click()
    page.locator(".menu").get_by_role("link", name="Texts").click()
    assert page.url == f"{base}/texts"
    page.goto(f"{base}/forms")
    page.get_by_label("Amount").fill("3")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("takes effect within 2 seconds")).to_be_visible()
    context.close()


def test_pages_fit_at_twice_the_size(browser: Browser, base: str) -> None:
    context = browser.new_context(viewport={"width": 640, "height": 450}, device_scale_factor=2)
    page = context.new_page()
    for path in ("/", "/moves", "/forms"):
        page.goto(base + path)
        page.wait_for_timeout(100)
        assert overflow(page) == []
    context.close()


def test_everything_is_reached_by_keyboard(page: Page, base: str) -> None:
    page.goto(base)
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("g")
    page.keyboard.press("t")
    page.wait_for_url(f"{base}/texts")
    page.keyboard.press("Control+k")
    page.keyboard.type("limi")
    expect(page.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{base}/forms")
    page.keyboard.press("/")
    expect(page.get_by_label("Search")).to_be_focused()
    page.keyboard.press("g")
    page.keyboard.press("o")
    assert page.url == f"{base}/forms", "typing goes nowhere"


def test_the_dialogs_are_accessible(page: Page, base: str) -> None:
    page.goto(f"{base}/moves")
    for key in ("?", "Control+k", "."):
        page.keyboard.press(key)
        expect(page.locator("dialog")).to_be_visible()
        assert not violations(page)
        page.keyboard.press("Escape")
        expect(page.locator("dialog")).to_have_count(0)


def test_a_key_presses_its_button(page: Page, base: str) -> None:
    page.goto(f"{base}/moves")
    page.keyboard.press("r")
    assert page.url == f"{base}/moves"
    page.keyboard.press("Shift+R")
    page.wait_for_url(f"{base}/echo")
    assert '"back"' in page.content()


def test_a_button_to_be_held_is_held(page: Page, base: str) -> None:
    page.goto(f"{base}/moves")
    button = page.get_by_role("button", name="Promote")
    page.locator("ops-hold-button:defined").first.wait_for()
    button.click()
    page.keyboard.press("p")
    page.wait_for_timeout(100)
    assert page.url == f"{base}/moves"
    expect(page.get_by_text("Keep it pressed")).to_be_attached()
    page.keyboard.down("p")
    page.wait_for_url(f"{base}/echo")
    page.keyboard.up("p")
    held = page.evaluate("Number(JSON.parse(document.body.innerText).held_ms)")
    assert 800 <= held < 1500


def test_who_cannot_hold_presses_twice(page: Page, base: str) -> None:
    page.goto(f"{base}/moves")
    page.locator("ops-hold-button:defined").first.wait_for()
    click = "document.querySelector('ops-hold-button button').click()"
    page.evaluate(click)
    expect(page.get_by_text("Press again to confirm")).to_be_attached()
    page.evaluate(click)
    page.wait_for_url(f"{base}/echo")


def test_ten_tabs_stay_current_over_one_connection(browser: Browser, base: str) -> None:
    context = browser.new_context()
    tabs = [context.new_page() for _ in range(10)]
    for tab in tabs:
        tab.goto(f"{base}/live")
    before = int(tabs[0].locator("#touched").inner_text())
    tabs[0].wait_for_timeout(300)
    listeners = context.request.post(f"{base}/touch", headers={"Origin": base}).json()
    assert listeners == 1
    for tab in tabs:
        # Only the tab in front is visible to its script; the others catch up when looked at.
        tab.bring_to_front()
        expect(tab.locator("#touched")).to_have_text(str(before + 1))
    context.close()


def test_nothing_is_replaced_under_the_hands_of_who_types(page: Page, base: str) -> None:
    page.goto(f"{base}/live")
    page.wait_for_timeout(300)
    before = int(page.locator("#touched").inner_text())
    page.get_by_label("Draft").fill("half a sen")
    page.request.post(f"{base}/touch", headers={"Origin": base})
    page.wait_for_timeout(600)
    expect(page.locator("#touched")).to_have_text(str(before))
    page.get_by_label("Draft").blur()
    expect(page.locator("#touched")).to_have_text(str(before + 1))
    expect(page.get_by_label("Draft")).to_have_value("half a sen")
    page.request.post(f"{base}/touch", headers={"Origin": base})
    expect(page.locator("#touched")).to_have_text(str(before + 2))


def test_a_refusal_in_the_page_is_a_notice(page: Page, base: str) -> None:
    page.goto(f"{base}/live")
    page.get_by_role("button", name="Clash").click()
    expect(page.locator("#notices")).to_contain_text("Somebody else was faster. Read it again")


def test_the_theme_is_kept(page: Page, base: str) -> None:
    page.goto(base)
    button = page.locator("[data-ops-theme]")
    expect(button).to_have_text("Theme: system")
    button.click()
    button.click()
    expect(button).to_have_text("Theme: dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_a_plot_follows_its_data_and_the_theme(page: Page, base: str) -> None:
    page.goto(f"{base}/moves")
    canvas = page.locator("ops-band-plot canvas")
    expect(canvas).to_have_count(1)
    pixels = (
        "document.querySelector('ops-band-plot').shadowRoot.querySelector('canvas').toDataURL()"
    )
    light = page.evaluate(pixels)
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(150)
    dark = page.evaluate(pixels)
    assert dark != light
    page.evaluate(
        """() => { const s = document.querySelector('ops-band-plot script');
        s.textContent = s.textContent.replace('"runs"', '"calls"'); }"""
    )
    page.wait_for_timeout(150)
    assert page.evaluate(pixels) != dark
    expect(canvas).to_have_count(1)


def test_print_leaves_the_house_furniture_out(page: Page, base: str) -> None:
    page.goto(f"{base}/moves")
    page.emulate_media(media="print")
    expect(page.locator(".side")).to_be_hidden()
    expect(page.get_by_role("button", name="Promote")).to_be_hidden()
    expect(page.locator("h1")).to_be_visible()


INERT = """() => {
  const found = [];
  const main = document.querySelector("main");
  for (const node of main.querySelectorAll("*")) {
    const name = node.tagName.toLowerCase();
    const data = name === "script" && node.type === "application/json";
    if (/^(script|iframe|object|embed|img|video|link|meta|base|style|template|math)$/.test(name) && !data) found.push(name);
    for (const { name: key, value } of node.attributes) {
      if (key.startsWith("on") || key.startsWith("hx-") || key === "formaction") found.push(key);
      if (["href", "src", "action"].includes(key) && !/^(#|\\/(?![\\/\\\\])|\\?|https?:)/.test(value)) found.push(value);
    }
  }
  return found;
}"""
