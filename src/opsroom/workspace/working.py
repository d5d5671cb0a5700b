"""A workspace at work: its files, its lock, its commit, and the server that it talks to."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2

from opsroom.kit.wire import plain
from opsroom.sdk import Opsroom
from opsroom.sdk.errors import Unreachable

from . import archive, files, git
from .errors import ArchiveBomb, NotPushed, OtherServer, ServerMoved
from .files import Found, Workspace
from .locking import LOCK, Locked, lock_text, read_lock
from .model import Base

API = "/v1/workspace"
SLOW = 300.0


class Working:
    """The verbs of a workspace. Everything is read before anything is written."""

    def __init__(self, client: Opsroom, workspace: Workspace) -> None:
        self._client = client
        self._workspace = workspace
        self._check_place()
        self._lock = read_lock(workspace.root)
        self._found = files.read(workspace, self._lock)
        self._commit = git.head(workspace.root)

    def plan(self, *, at: str = "latest", over: bool = False) -> dict[str, Any]:
        """How the files stand to the server, as the API says it."""
        found: dict[str, Any] = self._ask("plan", at=at, over=over)
        if self._pushed_from_here(found):
            found = self._ask("plan", at=at, over=over)
        return found

    def push(self, message: str, *, over: bool) -> dict[str, Any]:
        """Store what the files say, and note what each is in step with now."""
        self._pushed_from_here(self._ask("plan", at="latest", over=over))
        done: dict[str, Any] = self._ask("push", at="latest", over=over, message=message)
        self._note(done, "unchanged", "create", "new_version")
        return done

    def pull(self, label: str, *, over: bool) -> dict[str, Any]:
        """Write what the server has, and note what each file is in step with now."""
        found = self.plan(at=label)
        rows = {f"{one['kind']}/{one['name']}": one for one in found["files"]}
        mine = {one.entry.ref: one for one in self._found}
        wanted: list[str] = []
        refused: list[str] = []
        kept: list[str] = []
        for ref, one in rows.items():
            entry = mine[ref].entry
            if one["state"] in ("unchanged", "create"):
                continue
            there_as_was = entry.base is not None and entry.base.digest == one["before_digest"]
            if over or not entry.touched:
                # What only cites something newer by now is no news of the server.
                wanted += [ref] if entry.touched or not there_as_was else []
            elif there_as_was:
                kept.append(one["file"])
            else:
                refused.append(ref)
        if refused:
            raise ServerMoved(", ".join(refused))
        texts: dict[Path, str] = {}
        for ref in (*wanted, *found["only_there"]):
            texts |= self._fetch(ref, label, mine.get(ref))
        written = [path for path, text in texts.items() if not _says(path, text)]
        for path in written:
            files.write(self._workspace, path, texts[path])
        self._found = files.read(self._workspace, self._lock)
        self._note(self._ask("plan", at=label, over=False), "unchanged")
        names = sorted(path.relative_to(self._workspace.root).as_posix() for path in written)
        return {"written": names, "kept": sorted(kept)}

    def propose(self, description: str) -> list[dict[str, Any]]:
        """Open a proposal for each reviewed label that points elsewhere than the files say."""
        planned = self.plan()
        waiting = [one for one in planned["files"] if one["state"] != "unchanged"]
        if waiting:
            behind = ", ".join(f"{one['kind']}/{one['name']}" for one in waiting)
            raise NotPushed(behind)
        there = {
            (one["kind"], one["name"], one["label"], one["number"]): one
            for one in self._client.every("/v1/proposals", "before", state="open")
        }
        opened: list[dict[str, Any]] = []
        for one in planned["files"]:
            for label in one["labels"]:
                if not label["proposed"]:
                    continue
                key = (one["kind"], one["name"], label["label"], label["after"])
                made = there.get(key)
                if made is None:
                    body = {
                        "ref": f"{one['kind']}/{one['name']}@{label['after']}",
                        "label": label["label"],
                        "title": self._commit.subject if self._commit else "",
                        "description": description
                        or (self._commit.trailer(one["file"]) if self._commit else ""),
                    }
                    made = {**self._client.post("/v1/proposals", body), "there": "opened"}
                opened.append({"there": "open already", **made})
        return opened

    def _check_place(self) -> None:
        wanted = self._workspace.server
        if wanted and wanted.rstrip("/") != self._client.address.rstrip("/"):
            raise OtherServer("server", wanted, self._client.address)
        if self._workspace.project:
            here = self._client.get("/v1/me")["project"]
            if here != self._workspace.project:
                raise OtherServer("project", self._workspace.project, here)

    def _ask(self, verb: str, *, at: str, over: bool, message: str = "") -> dict[str, Any]:
        entries = [
            plain(replace(one.entry, message=self._message(one, message)))
            for one in self._found
        ]
        body = {
            "entries": entries,
            "labels": list(self._workspace.labels),
            "kinds": list(self._workspace.kinds),
            "at": at,
            "over": over,
        }
        answer: dict[str, Any] = self._client.call("POST", f"{API}/{verb}", body, timeout=SLOW)
        return answer

    def _message(self, one: Found, message: str) -> str:
        """Why, and below it the commit that it comes from."""
        if self._commit is None:
            return message
        trailer = self._commit.trailer(one.entry.file, one.beside)
        return f"{message or self._commit.subject}\n\n{trailer}"

    def _pushed_from_here(self, planned: dict[str, Any]) -> bool:
        """Take a version that was pushed from a commit before ours for what the file was in step
        with: a repository that goes on has seen it, whoever pushed it from where.
        """
        known = {
            (one["kind"], one["name"]): Base(number=one["before"], digest=one["before_digest"])
            for one in planned["files"]
            if one["state"] == "conflict"
            and one["commit"]
            and git.is_before(self._workspace.root, one["commit"])
        }
        self._found = [
            replace(one, entry=replace(one.entry, base=base, touched=True))
            if (base := known.get((one.entry.kind, one.entry.name)))
            else one
            for one in self._found
        ]
        return bool(known)

    def _fetch(self, ref: str, label: str, mine: Found | None) -> dict[Path, str]:
        kind, _, name = ref.partition("/")
        about = self._client.get(f"/v1/artifacts/{kind}/{name}")
        if label != "latest" and label not in {one["label"] for one in about["labels"]}:
            return {}
        version = self._client.get(f"/v1/artifacts/{kind}/{name}/versions/{label}")
        items = None
        if kind == "dataset":
            address = f"/v1/datasets/{name}/items"
            at = str(version["number"])
            items = list(self._client.every(address, "start", at=at, limit=1000))
        at_path = mine.path if mine else None
        return files.texts(self._workspace, about["artifact"], version, items, at=at_path)

    def _note(self, done: dict[str, Any], *states: str) -> None:
        """Write down what every file is in step with, where that changed."""
        contents = {one.entry.ref: one.content for one in self._found}
        now: dict[str, Locked] = {}
        for one in done["files"]:
            ref = f"{one['kind']}/{one['name']}"
            number = one["before"] if one["state"] == "unchanged" else one["after"]
            if one["state"] in states:
                base = Base(number=number, digest=one["digest"])
                now[ref] = Locked(base=base, content=contents[ref])
        lock = self._lock.after(now)
        if lock != self._lock:
            files.write(self._workspace, self._workspace.root / LOCK, lock_text(lock))
            self._lock = lock


def download(client: Opsroom, file: Path) -> dict[str, Any]:
    """Write the archive of the project that a client leads to."""
    try:
        response = client.http().post(f"{API}/export", timeout=SLOW)
    except httpx2.HTTPError as error:
        raise Unreachable(client.address, str(error).lower()) from error
    if response.status_code >= 400:
        client.refuse(response)
    fresh = file.with_name(f".{file.name}.part")
    fresh.write_bytes(response.content)
    fresh.replace(file)
    manifest = archive.read_manifest(response.content)
    return {
        "file": str(file),
        "size": len(response.content),
        "digest": manifest.digest,
        "manifest": plain(manifest),
    }


def upload(client: Opsroom, file: Path, *, dry_run: bool) -> dict[str, Any]:
    """Bring an archive into the project that a client leads to, or say what that would do."""
    if file.stat().st_size > archive.MAX_PACKED:
        raise ArchiveBomb(f"it is larger than {archive.MAX_PACKED // archive.MEGABYTE} MB")
    path = f"{API}/import/plan" if dry_run else f"{API}/import"
    headers = {"Content-Type": "application/gzip"}
    try:
        response = client.http().post(
            path, content=file.read_bytes(), headers=headers, timeout=SLOW
        )
    except httpx2.HTTPError as error:
        raise Unreachable(client.address, str(error).lower()) from error
    if response.status_code >= 400:
        client.refuse(response)
    answer: dict[str, Any] = response.json()
    return answer


def _says(path: Path, text: str) -> bool:
    """Whether a file holds this text already."""
    return path.is_file() and path.read_bytes() == text.encode()
