"""From a template and its facts to an answer.

Templates are ours and come with their package; nothing a user wrote is ever compiled. All
text is escaped, and a name that a page forgot to bring is an error, not an empty space.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from types import CodeType
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from jinja2 import BytecodeCache, ChoiceLoader, Environment, PackageLoader, StrictUndefined
from jinja2.bccache import Bucket
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from opsroom.kit.clock import Clock
from opsroom.kit.errors import OpsroomError

from . import charts, formats
from .assets import Assets
from .charts import Tone
from .errors import told
from .nav import NavGroup, active_key

THEMES = ("light", "dark")
THEME_COOKIE = "opsroom_theme"


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who looks at the page, and where the form that ends their session goes."""

    name: str
    sign_out: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A sentence shown once after something was done, named in the address."""

    text: str
    tone: Tone = "good"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chrome:
    """What every page has around it."""

    product: str = "opsroom"
    nav: Sequence[NavGroup] = ()
    notices: Mapping[str, Notice] = field(default_factory=dict[str, Notice])
    events: str = "/v1/events"


def _nobody(_: Request) -> Viewer | None:
    return None


def _nothing(_: Request) -> Mapping[str, int]:
    return {}


class Pages:
    """Renders templates of `packages` (folder `templates/`) inside one layout.

    `viewer` says who is looking, `badges` how many things wait for them, by the key of a nav
    item; both are asked once per page.
    """

    def __init__(
        self,
        packages: Sequence[str],
        *,
        assets: Assets,
        clock: Clock,
        chrome: Chrome | None = None,
        viewer: Callable[[Request], Viewer | None] = _nobody,
        badges: Callable[[Request], Mapping[str, int]] = _nothing,
    ) -> None:
        self._chrome = chrome or Chrome()
        self._viewer = viewer
        self._badges = badges
        self._places = [
            {"title": item.title, "href": item.href, "go": item.go, "group": group.title}
            for group in self._chrome.nav
            for item in group.items
        ]
        self._environment = _environment(packages, assets, clock, self._chrome.events)

    def render(
        self, request: Request, template: str, *, status: int = 200, **context: Any
    ) -> Response:
        """The page `template` makes of `context`, never kept by a cache."""
        return self._answer(template, status, self._around(request) | context)

    def error(self, request: Request, error: OpsroomError) -> Response:
        """The error as a page; for htmx, as a notice on the page it came from.

        Comes out even when whoever knows the viewer is what failed.
        """
        if "HX-Request" in request.headers:
            response = self._answer(
                "web/error_notice.html", error.status, {"facts": told(error)}
            )
            response.headers["HX-Retarget"] = "#notices"
            response.headers["HX-Reswap"] = "innerHTML"
            return response
        try:
            around = self._around(request)
        except OpsroomError:
            around = self._chrome_of(request) | {"badges": {}, "viewer": None}
        return self._answer(
            "web/error.html", error.status, around | {"error": error, "facts": told(error)}
        )

    def redirect(self, to: str, *, notice: str = "") -> Response:
        """Send the browser on after a form, with a notice from the catalogue.

        `to` is an address of ours; anything that leads elsewhere goes to the first page.
        """
        address = to if to.startswith("/") and formats.href(to) != "#" else "/"
        if notice:
            if notice not in self._chrome.notices:
                raise LookupError(f"there is no notice {notice!r}")
            address = _with_query(address, notice=notice)
        return RedirectResponse(address, 303, headers={"Cache-Control": "no-store"})

    def _answer(self, template: str, status: int, context: dict[str, Any]) -> Response:
        body = self._environment.get_template(template).render(context)
        return HTMLResponse(body, status, headers={"Cache-Control": "no-store"})

    def _around(self, request: Request) -> dict[str, Any]:
        return self._chrome_of(request) | {
            "badges": self._badges(request),
            "viewer": self._viewer(request),
        }

    def _chrome_of(self, request: Request) -> dict[str, Any]:
        theme = request.cookies.get(THEME_COOKIE, "")
        return {
            "chrome": self._chrome,
            "active": active_key(self._chrome.nav, request.url.path),
            "notice": self._chrome.notices.get(request.query_params.get("notice", "")),
            "theme": theme if theme in THEMES else "",
            "places_data": self._places,
        }


class _Compiled(BytecodeCache):
    """Templates as code, compiled once per process however many applications render them.

    The code depends on nothing but the source: what it calls is looked up as it renders.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key, bucket.checksum] = bucket.code


@cache
def _compiled() -> _Compiled:
    return _Compiled()


def _environment(
    packages: Sequence[str], assets: Assets, clock: Clock, events: str
) -> Environment:
    environment = Environment(
        loader=ChoiceLoader(
            [PackageLoader(package, "templates") for package in ("opsroom.web", *packages)]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
        bytecode_cache=_compiled(),
    )

    def when(moment: datetime | None) -> str:
        return formats.when(moment, clock.now())

    everywhere: dict[str, Any] = {
        "asset": assets.url,
        "events_url": events,
        "strips": charts.strips,
        "sparkline_path": charts.sparkline,
    }
    environment.globals.update(everywhere)
    environment.filters.update(
        exact=formats.exact,
        first_upper=formats.first_upper,
        href=formats.href,
        key_cap=formats.key_cap,
        keys=formats.keys,
        number=formats.number,
        duration=formats.duration,
        money=formats.money,
        percent=formats.percent,
        points=formats.points,
        sentence=formats.sentence,
        short=formats.short,
        trend=charts.trend,
        visible=formats.visible,
        when=when,
    )
    return environment


def _with_query(address: str, **extra: str) -> str:
    parts = urlsplit(address)
    query = "&".join(part for part in (parts.query, urlencode(extra)) if part)
    return urlunsplit(parts._replace(query=query))
