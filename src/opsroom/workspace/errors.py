"""What can go wrong between a repository and a server, and with archives."""

from dataclasses import dataclass

from opsroom.kit.errors import Conflict, Invalid, TooLarge


@dataclass(eq=False)
class NoWorkspace(Invalid):
    code = "no_workspace"
    text = "there is no {0.file} in {0.folder!r}, or above it"
    hint = "write one; docs/how-to/gitops.md shows what stands in it"
    file: str
    folder: str


@dataclass(eq=False)
class OtherServer(Conflict):
    code = "workspace_of_other_server"
    text = (
        "this workspace belongs to {0.what} {0.wanted!r}, and you are connected to {0.here!r}"
    )
    hint = "say where to go with --url and --token; a file in a repository never decides it"
    what: str
    wanted: str
    here: str


@dataclass(eq=False)
class DescribedTwice(Invalid):
    code = "described_twice"
    text = "{0.file} and {0.other} both describe {0.artifact}"
    hint = "keep one of them"
    file: str
    other: str
    artifact: str


@dataclass(eq=False)
class FileRefused(Invalid):
    code = "workspace_file_refused"
    text = "{0.file}: {0.why}"
    hint = "{0.fix}"
    file: str
    why: str
    fix: str


@dataclass(eq=False)
class CitesItself(Invalid):
    code = "cites_itself"
    text = "these files cite each other in a circle: {0.chain}"
    hint = "cite one of them by its number, as name@3"
    chain: str


@dataclass(eq=False)
class ServerMoved(Conflict):
    code = "server_moved"
    text = "file and server both changed since the last pull: {0.artifacts}"
    hint = "pull into another folder and merge, or say with --over which side is right"
    artifacts: str


@dataclass(eq=False)
class NotPushed(Conflict):
    code = "not_pushed"
    text = "the server does not have what the files say of {0.artifacts}"
    hint = "`opsroom push` first, then propose"
    artifacts: str


@dataclass(eq=False)
class WorkspaceTooLarge(TooLarge):
    code = "workspace_too_large"
    text = "{0.what} is larger than {0.limit}"
    hint = "an archive holds 16 MB packed and 64 MB unpacked, a push 10,000 files"
    what: str
    limit: str


@dataclass(eq=False)
class ArchiveRefused(Invalid):
    code = "archive_refused"
    text = "this archive is refused: {0.why}"
    hint = "nothing of it was stored; use a file that `opsroom export` wrote, unchanged"
    why: str


@dataclass(eq=False)
class ArchiveBomb(TooLarge):
    code = "archive_too_large"
    text = "this archive is refused: {0.why}"
    hint = "nothing of it was stored; an archive holds 16 MB packed and 64 MB unpacked"
    why: str


@dataclass(eq=False)
class ProjectDiffers(Conflict):
    code = "project_differs"
    text = "the project has other versions of {0.artifacts}"
    hint = "nothing was stored; import into an empty project, or rename what differs"
    artifacts: str


@dataclass(eq=False)
class NoRepository(Invalid):
    code = "no_repository"
    text = "{0.path!r} cannot be read as part of a git repository: {0.why}"
    hint = "name a folder or a file in a clone, and see that `git log` works there"
    path: str
    why: str
