"""Write docs/reference from the code: what is generated cannot be out of date.

`make docs` writes the pages; a test fails when they differ from the code.
"""

import importlib
import pkgutil
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import json_shapes

import opsroom
from opsroom.access.model import PERMISSIONS, ROLES
from opsroom.access.table import ROUTES
from opsroom.app import Settings, build, open_runtime
from opsroom.app.kinds import KINDS
from opsroom.cli.root import root
from opsroom.kit.errors import OpsroomError
from opsroom.kit.wire import adapter
from opsroom.metrics.catalog import METRICS
from opsroom.policies.facts import FACTS

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
MADE = "<!-- Written by `make docs` from the code; do not edit. -->\n\n"


def pages() -> dict[str, str]:
    """Every page of the reference by file name."""
    document = _document()
    made = {
        "cli.md": _cli(),
        "errors.md": _errors(),
        "http.md": _http(document),
        "json.md": _json(document),
        "kinds.md": _kinds(),
        "metrics.md": _metrics(),
        "policy-facts.md": _facts(),
        "roles.md": _roles(),
    }
    return {**made, "../llms.txt": _index(made)}


def _index(made: dict[str, str]) -> str:
    """What the documentation has, a line for each page; see llmstxt.org."""
    docs = FOLDER.parent
    texts = {path: path.read_text(encoding="utf-8") for path in docs.rglob("*.md")}
    texts |= {FOLDER / name: text for name, text in made.items()}
    lines = [
        "# opsroom\n",
        "> The operations room for AI agents: prompts and agents as versions, proof before release,",
        "> actions inside contracts and policy, people who take over, and a loop that learns.",
    ]
    groups = {
        ".": "Start",
        "how-to": "How to",
        "reference": "Reference",
        "decisions": "Decisions",
    }
    for folder, heading in groups.items():
        lines.append(f"\n## {heading}\n")
        for path in sorted(one for one in texts if one.parent == docs / folder):
            title, about = _opening(texts[path])
            lines.append(f"- [{title}]({path.relative_to(docs).as_posix()}){about}")
    return "\n".join(lines) + "\n"


def _opening(text: str) -> tuple[str, str]:
    """The title of a page and its first sentence, where it opens with one."""
    blocks = [one for one in text.replace(MADE, "").split("\n\n") if one.strip()]
    title = blocks[0].partition("\n")[0].lstrip("# ")
    first = " ".join(blocks[1].split()) if len(blocks) > 1 else ""
    if not first[:1].isalpha():
        return title, ""
    plain = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", first)
    return title, ": " + re.split(r"(?<=[a-z`)*\"])[.:;] ", plain)[0].rstrip(".:")


def _cli() -> str:
    parts = ["# Command line\n"]
    for path, command in _commands("opsroom", root):
        with click.Context(command, info_name=path, terminal_width=96) as ctx:
            parts.append(f"## `{path}`\n\n```text\n{command.get_help(ctx)}\n```\n")
    return MADE + "\n".join(parts)


def _commands(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        with click.Context(command, info_name=path) as ctx:
            for name in command.list_commands(ctx):
                inner = command.get_command(ctx, name)
                if inner is not None and not inner.hidden:
                    yield from _commands(f"{path} {name}", inner)


def _errors() -> str:
    lines = [
        "# Errors\n",
        "Every error has a code for programs, a sentence, and a hint. The status is that of",
        "HTTP, the exit code that of the command line.\n",
    ]
    for error in sorted(errors(), key=lambda one: one.code):
        lines += [
            f'<a id="{error.code}"></a>\n',
            f"## `{error.code}`\n",
            f"Status {error.status}, exit code {error.exit_code}. *{_plain(error.text)}*\n",
        ]
        if error.hint:
            lines.append(f"What to do: {_plain(error.hint)}.\n")
    return MADE + "\n".join(lines)


def errors() -> list[type[OpsroomError]]:
    """Every concrete error of the product."""
    for module in pkgutil.walk_packages(opsroom.__path__, "opsroom."):
        if not module.name.startswith("opsroom.migrations.versions"):
            importlib.import_module(module.name)
    found: list[type[OpsroomError]] = []
    todo = list(OpsroomError.__subclasses__())
    while todo:
        one = todo.pop()
        todo += one.__subclasses__()
        if "code" in vars(one):
            found.append(one)
    return found


def _plain(template: str) -> str:
    """A message template with its facts by name."""
    return template.replace("{0.", "{").replace("!r}", "}").replace("{", "‹").replace("}", "›")


def _document() -> dict[str, Any]:
    """The API document."""
    with tempfile.TemporaryDirectory() as folder:
        runtime = open_runtime(Settings(data=Path(folder)))
        try:
            return build(runtime, background=False).openapi()
        finally:
            runtime.close()


def _json(document: dict[str, Any]) -> str:
    lines = [
        "# What `--json` prints\n",
        "With `--json` a command prints its answer as JSON on standard output, and an error as",
        '`{"error": {code, message, hint, facts}}` on standard error, with the same exit code. These',
        "commands print what a route answers, as it is or the part that is named; the shapes are those of",
        "the API document at `/v1/openapi.json`. Fields may be added, none is taken away or renamed.\n",
        "| command | prints | of |",
        "|---|---|---|",
    ]
    found: dict[str, None] = {}
    for path, command in _commands("opsroom", root):
        for one in json_shapes.answers(command, ROUTES):
            if (schema := json_shapes.shape(document, one)) is not None:
                json_shapes.named(schema, found)
                part = "".join(f".{name}" for name in one.fields)
                lines.append(f"| `{path}` | {_type(schema)} | `{one.route}`{part} |")
    known = document["components"]["schemas"]
    for name in (shapes := list(found)):  # it grows with what those refer to
        more: dict[str, None] = {}
        json_shapes.named(known[name], more)
        shapes += [one for one in more if one not in shapes]
    for name in sorted(shapes):
        lines += [f"\n## {name}\n", *_shape(known[name])]
    return MADE + "\n".join(lines) + "\n"


def _shape(schema: dict[str, Any]) -> list[str]:
    if "properties" not in schema:
        return [f"One of {_type(schema)}."]
    required = set(schema.get("required", ()))
    return [
        "| field | type |",
        "|---|---|",
        *(
            f"| `{name}` | {_type(field)}{'' if name in required else ', may be missing'} |"
            for name, field in schema["properties"].items()
        ),
    ]


def _http(document: dict[str, Any]) -> str:
    lines = [
        "# HTTP\n",
        "The machine-readable document is at `/v1/openapi.json`. Every answer is JSON; errors",
        "have the shape `{code, message, hint, facts}` (see [errors](errors.md)). The last",
        "column is the permission a caller needs (see [roles](roles.md)).\n",
        "| route | what it does | permission |",
        "|---|---|---|",
    ]
    for key, permission in sorted(ROUTES.items(), key=lambda one: one[0].split(" ")[1]):
        method, path = key.split(" ", 1)
        said = document["paths"].get(path, {}).get(method.lower(), {})
        text = (said.get("description") or said.get("summary") or "").strip().split("\n\n")[0]
        lines.append(f"| `{method} {path}` | {' '.join(text.split())} | {permission} |")
    return MADE + "\n".join(lines) + "\n"


def _kinds() -> str:
    lines = ["# Kinds\n", "The fields of each kind's spec, as they are written in files.\n"]
    for kind in sorted(KINDS):
        schema = adapter(KINDS[kind].shape).json_schema()
        lines.append(f"## `{kind}`\n")
        lines += _fields(schema, schema.get("$defs", {}))
    return MADE + "\n".join(lines)


def _fields(schema: dict[str, Any], known: dict[str, Any]) -> list[str]:
    shapes = schema.get("oneOf") or [schema]
    lines: list[str] = []
    for shape in shapes:
        found = known[shape["$ref"].rsplit("/", 1)[1]] if "$ref" in shape else shape
        if len(shapes) > 1:
            types = found["properties"]["type"]
            named = types.get("enum") or [types.get("const")]
            lines.append("### " + ", ".join(f"`{one}`" for one in named) + "\n")
        if about := found.get("description"):
            lines.append(" ".join(about.split()) + "\n")
        lines += ["| field | type | default |", "|---|---|---|"]
        required = set(found.get("required", ()))
        for name, field in found.get("properties", {}).items():
            default = "required" if name in required else f"`{field.get('default', '')!r}`"
            lines.append(f"| `{name}` | {_type(field)} | {default.replace('|', '/')} |")
        lines.append("")
    return lines


def _type(field: dict[str, Any]) -> str:
    if "$ref" in field:
        return str(field["$ref"].rsplit("/", 1)[1])
    if either := field.get("anyOf") or field.get("oneOf"):
        return " or ".join(_type(one) for one in either)
    if field.get("type") == "array":
        return f"list of {_type(field.get('items', {}))}"
    if "enum" in field:
        return " / ".join(f"`{one}`" for one in field["enum"])
    return str(field.get("type", "any"))


def _metrics() -> str:
    lines = [
        "# Metrics\n",
        "What `GET /metrics` tells; see [how to watch it](../how-to/metrics.md).\n",
        "| metric | kind | labels | what it says |",
        "|---|---|---|---|",
        *(
            f"| `{one.name}` | {one.kind.value} | {', '.join(one.labels)} | {one.help} |"
            for one in METRICS
        ),
    ]
    return MADE + "\n".join(lines) + "\n"


def _facts() -> str:
    lines = [
        "# Facts that policies may speak of\n",
        "A policy reads them as `context.facts.NAME`. What nobody knows has the value that asks for most care.\n",
        "| fact | type | where nobody knows | what it says |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| `{name}` | {fact.type.value} | `{fact.missing}` | {fact.words} |"
        for name, fact in FACTS.items()
    ]
    return MADE + "\n".join(lines) + "\n"


def _roles() -> str:
    lines = ["# Roles and permissions\n", "| permission | allows to |", "|---|---|"]
    lines += [f"| `{name}` | {about} |" for name, about in PERMISSIONS.items()]
    lines += ["", "| role | permissions |", "|---|---|"]
    lines += [
        f"| `{role.value}` | {', '.join(f'`{one}`' for one in sorted(rights))} |"
        for role, rights in ROLES.items()
    ]
    return MADE + "\n".join(lines) + "\n"


def stale() -> list[str]:
    """The pages that are not what the code says now."""
    return [
        name
        for name, text in pages().items()
        if not (FOLDER / name).is_file() or (FOLDER / name).read_text(encoding="utf-8") != text
    ]


def main() -> None:
    if "--check" in sys.argv:
        sys.exit(", ".join(stale()) or None)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    sys.stdout.write(f"wrote {len(pages())} pages to {FOLDER}\n")


if __name__ == "__main__":
    main()
