"""What git knows of the files of a workspace. Asks the `git` on this machine, never the network.

A repository may come from anybody: nothing that its configuration names is run. Neither are
filters of its own, so files that it keeps otherwise than they lie there may count as changed;
nor is what it left on another server fetched from there.
"""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from threading import Timer

from opsroom.kit.wire import Wire

from .errors import NoRepository

TIMEOUT = 60
MAX_COMMITS = 20_000
MAX_OUTPUT = 64 * 1024 * 1024
MAX_ERROR = 4096
_COMMIT = re.compile(r"[0-9a-f]{40,64}", re.ASCII)
_FORMAT = "%H%x00%an%x00%aI%x00%B%x00"
_CALM = (
    "git",
    "--no-pager",
    "--literal-pathspecs",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "log.showSignature=false",
)
_FILTERS = ("config", "--null", "--show-scope", "--name-only", "--get-regexp", r"^filter\.")
_OF_A_REPOSITORY = frozenset({"local", "worktree"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit(Wire):
    """The commit that a workspace stands at, and which of its files differ from it."""

    hash: str
    author: str
    subject: str
    dirty: frozenset[str]

    def trailer(self, file: str, *beside: str) -> str:
        """The lines that a version's message ends with, which says what these files say."""
        dirty = "" if self.dirty.isdisjoint({file, *beside}) else " dirty"
        return f"Git-Commit: {self.hash}{dirty}\nGit-Author: {self.author}\nGit-File: {file}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One state that a file was brought to, and by which commit. `at` is None where the commit
    claims a time that no calendar has.
    """

    commit: str
    author: str
    at: datetime | None
    message: str
    path: str
    blob: str


def head(root: Path) -> Commit | None:
    """Where the workspace in `root` stands; None where it is in no repository, or in an empty
    one, or there is no git. Names of files are those below `root`.
    """
    try:
        told = ask(root, "log", "-1", "--no-show-signature", "--format=%H%x00%an%x00%s", "HEAD")
        status = _status(root)
        prefix = ask(root, "rev-parse", "--show-prefix").decode().rstrip("\n")
    except NoRepository:
        return None
    hash_, author, subject = told.decode(errors="replace").rstrip("\n").split("\0", 2)
    return Commit(
        hash=hash_,
        author=_line(author),
        subject=_line(subject),
        dirty=frozenset(_changed(status.decode(errors="replace"), prefix)),
    )


def _status(root: Path) -> bytes:
    """How files differ from the commit, as `git status` tells it."""
    arguments = ("--porcelain=v1", "-z", "--untracked-files=all", "--ignore-submodules=all")
    return ask(root, "status", *arguments, "--", ".", settings=_without_filters(root))


def _without_filters(root: Path) -> dict[str, str]:
    """The settings of a repository that name programs which see its files first, emptied."""
    try:
        told = ask(root, *_FILTERS).decode(errors="surrogateescape").split("\0")
    except NoRepository:
        return {}  # there are none
    named = zip(told[::2], told[1::2], strict=False)
    return {name: "" for scope, name in named if scope in _OF_A_REPOSITORY}


def is_before(root: Path, commit: str) -> bool:
    """Whether `commit` is the one that the repository stands at, or one before it."""
    if not _COMMIT.fullmatch(commit):
        return False
    try:
        ask(root, "merge-base", "--is-ancestor", commit, "HEAD")
    except NoRepository:
        return False
    return True


def history(folder: Path) -> list[Change]:
    """Every state of every file in a folder that is there today, oldest first.

    Renames are followed. A merge counts as what it brought to the branch that was merged into.
    Raises `NoRepository`.
    """
    listed = ask(folder, "ls-tree", "-r", "-z", "HEAD")
    now: dict[str, str] = {}
    for entry in _fields(listed):
        about, _, name = entry.partition("\t")
        if about.startswith("100"):  # a regular file: neither a link nor a submodule
            now[name] = about.split(" ")[2]
    told = ask(
        folder,
        "log",
        "--topo-order",
        "--diff-merges=first-parent",
        "--raw",
        "--no-abbrev",
        "--relative",
        "-M",
        "-z",
        f"--max-count={MAX_COMMITS}",
        f"--format={_FORMAT}",
        "--",
        ".",
    )
    found = _changes(_fields(told), now)
    newest = {one.path: one for one in found}
    stands = _fields(ask(folder, "log", "-1", "-z", f"--format={_FORMAT}"))
    for name, blob in now.items():
        # Where a merge kept one side, the last commit that touched a file is not what it became.
        if name not in newest or newest[name].blob != blob:
            found.append(_change(stands, name, blob))
    return found


def blob(folder: Path, hash_: str, *, most: int) -> bytes | None:
    """The content of a file as it was; None where it is larger than `most` bytes."""
    if int(ask(folder, "cat-file", "-s", hash_)) > most:
        return None
    return ask(folder, "cat-file", "blob", hash_)


def ask(folder: Path, *arguments: str, settings: Mapping[str, str] | None = None) -> bytes:
    """What git answers, with these settings over those that it finds. Raises `NoRepository` where
    it refuses, hangs or says too much.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name == "GIT_CEILING_DIRECTORIES"
    }
    environment |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    environment |= {"GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1"}
    for number, (name, value) in enumerate((settings or {}).items()):
        environment |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    environment["GIT_CONFIG_COUNT"] = str(len(settings or {}))
    with TemporaryFile() as errors:
        try:
            process = subprocess.Popen(  # noqa: S603  # no shell, every argument is ours or a hash
                (*_CALM, *arguments),
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        except OSError as error:
            raise NoRepository(str(folder), str(error).lower()) from error
        given_up = Timer(TIMEOUT, process.kill)
        given_up.start()
        try:
            with process:
                assert process.stdout is not None, "it was asked for"
                told = process.stdout.read(MAX_OUTPUT + 1)
                if len(told) > MAX_OUTPUT:
                    process.kill()
        finally:
            given_up.cancel()
        errors.seek(0)
        said = errors.read(MAX_ERROR).decode(errors="replace").strip().splitlines()
    if len(told) > MAX_OUTPUT:
        raise NoRepository(str(folder), "its history is too long")
    if process.returncode:
        raise NoRepository(str(folder), said[0][:200] if said else "git refuses")
    return told


def _changed(status: str, prefix: str) -> Iterator[str]:
    fields = iter(status.split("\0"))
    for one in fields:
        if len(one) > 3:
            yield one[3:].removeprefix(prefix)
            if one[0] in "RC":
                next(fields, None)


def _changes(told: Sequence[str], now: Mapping[str, str]) -> list[Change]:
    """The states in a log, oldest first, under the names that their files have today."""
    found: list[Change] = []
    today: dict[str, str] = {}
    commit: list[str] = []
    left = iter(told)
    for one in left:
        if _COMMIT.fullmatch(one):
            commit = [one, *islice(left, 3)]
            continue
        # What changed, as `--raw -z` says it: `:100644 100644 OLD NEW M`, then one name or two.
        about = one.lstrip("\n").split(" ")
        if not about[0].startswith(":") or len(about) < 5:
            continue
        status = about[4][:1]
        names = list(islice(left, 2 if status in "RC" else 1))
        name = today.get(names[-1], names[-1])
        if status == "R":
            today.setdefault(names[0], name)
        if about[1].startswith("100") and name in now:
            found.append(_change(commit, name, about[3]))
    return found[::-1]


def _change(commit: Sequence[str], path: str, blob: str) -> Change:
    hash_, author, at, message = commit[:4]
    return Change(
        commit=hash_,
        author=_line(author),
        at=_time(at),
        message=message.strip(),
        path=path,
        blob=blob,
    )


def _fields(told: bytes) -> list[str]:
    """What NUL stands between: nothing that somebody writes into a repository holds one."""
    return told.decode(errors="replace").split("\0")


def _time(text: str) -> datetime | None:
    """A time as git tells it, who takes any number for one; None where it is none of ours."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _line(text: str) -> str:
    return "".join(one if one.isprintable() else " " for one in text).strip()[:200]
