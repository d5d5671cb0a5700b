"""The report as one file that anybody can open, read and print: no script, nothing fetched."""

from html import escape
from typing import Any

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"
    "color:#1a1d23;background:#fff}table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}"
    "th,td{text-align:left;vertical-align:top;padding:.35rem .6rem;border-top:1px solid #cfd4dc}"
    ".bar{display:inline-block;width:7rem;height:.7rem;background:#e4e7ec;border-radius:4px}"
    ".bar i{display:block;height:100%;background:#2f5fc4;border-radius:4px}"
    ".no{color:#a3201c}.note{color:#555c68}section{break-inside:avoid}"
)


def page(summary: dict[str, Any], *, project: str) -> str:
    """The whole report of a summary, as the server told it."""
    site = str(summary["site"]).rstrip("/")
    some = [summary["project"], *summary["agents"], *summary["prompts"]]
    rows = "".join(_row(one) for one in some)
    parts = "".join(_part(one, site) for one in some)
    left = summary["left_out"]
    rest = f'<p class="note">{left} more were not assessed.</p>' if left else ""
    title = escape(f"Maturity of {project}")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style></head><body><h1>{title}</h1>"
        f'<p class="note">As of {escape(summary["at"])}, from records alone.</p>'
        f"<table><thead><tr><th>What</th><th>Level</th><th>Next step</th></tr></thead>"
        f"<tbody>{rows}</tbody></table>{rest}{parts}</body></html>\n"
    )


def next_step(one: dict[str, Any]) -> str:
    """The one thing to do next, in words."""
    missing = [each for each in one["criteria"] if not each["met"]]
    return str(missing[0]["step"]) if missing else "nothing is missing"


def _row(one: dict[str, Any]) -> str:
    return (
        f'<tr><th scope="row">{escape(one["subject"])}</th><td>{_bar(one)}</td>'
        f"<td>{escape(next_step(one))}</td></tr>"
    )


def _bar(one: dict[str, Any]) -> str:
    share = one["level"] * 20
    return (
        f'<span class="bar" aria-hidden="true"><i style="width:{share}%"></i></span> '
        f"L{one['level']} {escape(one['title'])}"
    )


def _part(one: dict[str, Any], site: str) -> str:
    rows = "".join(_criterion(each, site) for each in one["criteria"])
    return (
        f"<section><h2>{escape(one['subject'])}: L{one['level']}</h2><table><tbody>{rows}"
        "</tbody></table></section>"
    )


def _criterion(one: dict[str, Any], site: str) -> str:
    links = ", ".join(
        f'<a href="{escape(site + each["page"], quote=True)}">{escape(each["name"])}</a>'
        for each in one["records"]
    )
    met = "met" if one["met"] else '<strong class="no">missing</strong>'
    return (
        f"<tr><td>L{one['level']}</td><td>{escape(one['name'])}</td><td>{met}</td>"
        f"<td>{escape(one['says'])} {links}</td></tr>"
    )
