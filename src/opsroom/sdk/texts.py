"""The words of a prompt with all it includes; read when first rendered, and only once."""

from typing import TYPE_CHECKING, Any

from opsroom.kit.canonical import digest

if TYPE_CHECKING:
    from opsroom.prompts.rendering import Prepared


class Text:
    """A prompt's spec and the specs of its includes, as plain data."""

    def __init__(self, spec: Any, includes: dict[str, Any], digest: str) -> None:
        self.spec = spec
        self._includes = includes
        self._prepared: Prepared | None = None
        self.digest = digest

    def render(self, variables: dict[str, Any]) -> str | list[dict[str, str]]:
        """The text, or the messages, with these values in place."""
        if self._prepared is None:
            # The template engine takes some milliseconds to load, and only rendering needs it.
            from opsroom.prompts.model import read_spec
            from opsroom.prompts.rendering import prepare

            includes = {name: read_spec(spec) for name, spec in self._includes.items()}
            self._prepared = prepare(read_spec(self.spec), include=includes.__getitem__)
        rendered = self._prepared.render(variables)
        if rendered.text is not None:
            return rendered.text
        return [{"role": one.role.value, "content": one.content} for one in rendered.messages]


class Brought(Text):
    """A template that a program brought along. Its variables are the names in it.

    They have no declared types, and values it does not use are passed over: the prompt that
    it stands in for may take more.
    """

    def __init__(self, template: str) -> None:
        spec = {"format": "text", "text": template}
        super().__init__(spec, {}, digest(spec))
        self._template = template
        self._by_types: dict[tuple[tuple[str, str], ...], Text] = {}

    def render(self, variables: dict[str, Any]) -> str | list[dict[str, str]]:
        from opsroom.prompts.syntax import read_template

        names = read_template(self._template).names
        types = tuple((name, _type(variables.get(name))) for name in sorted(names))
        text = self._by_types.get(types)
        if text is None:
            declared = {name: {"type": kind} for name, kind in types}
            spec = {**self.spec, "variables": declared}
            text = self._by_types[types] = Text(spec, {}, self.digest)
        return text.render({name: variables[name] for name in names if name in variables})


def brought(fallback: str | dict[str, Any]) -> Text:
    """What a program brought along: a template, or a whole prompt as it stands in a file."""
    if isinstance(fallback, str):
        return Brought(fallback)
    return Text(fallback, {}, digest(fallback))


def _type(value: object) -> str:
    match value:
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case list():
            return "list"
        case dict():
            return "object"
        case _:
            return "text"
