from dataclasses import dataclass

from opsroom.kit.errors import Invalid


@dataclass(eq=False)
class UnknownFormat(Invalid):
    code = "unknown_format"
    text = "there is no import format {0.name!r}"
    hint = "formats are {0.known}"
    name: str
    known: str


@dataclass(eq=False)
class NothingToImport(Invalid):
    code = "nothing_to_import"
    text = "{0.path!r} holds no file of the format {0.format!r}"
    hint = "give the file itself, or a folder with {0.expected}"
    path: str
    format: str
    expected: str


@dataclass(eq=False)
class BadImport(Invalid):
    code = "bad_import"
    text = "{0.file}, line {0.line}: {0.problem}"
    hint = "correct the file and import again; nothing of it was stored"
    file: str
    line: int
    problem: str


@dataclass(eq=False)
class UnknownSubject(Invalid):
    code = "unknown_subject"
    text = "a recorded answer names {0.subject!r}, which is neither here nor in the import"
    hint = "import the versions together with their recordings"
    subject: str
