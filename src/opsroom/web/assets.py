"""Static files: read once, compressed once, cached for ever.

Every address holds a digest over all files, so relative imports between scripts keep
working and a browser never mixes two releases of them.
"""

import gzip
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .errors import PageNotFound

FOR_EVER = "public, max-age=31536000, immutable"
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    media_type: str
    body: bytes
    packed: bytes
    etag: str


class Assets:
    """The `static/` folders of some packages as one flat set of files.

    Only style sheets, scripts and SVG are served; licence texts stay on the disk. Two files
    of one name are a mistake and refused at start.
    """

    def __init__(
        self, packages: Sequence[str] = ("opsroom.web",), *, at: str = "/assets"
    ) -> None:
        self._at = at
        self._files: dict[str, Asset] = {}
        for package in packages:
            for name, file in _walk(resources.files(package) / "static"):
                if name in self._files:
                    raise ValueError(f"two static files are called {name!r}")
                self._files[name] = _read(name, file)
        whole = hashlib.sha256()
        for name in sorted(self._files):
            whole.update(f"{name} {self._files[name].etag}\n".encode())
        self.digest = whole.hexdigest()[:16]

    def url(self, name: str) -> str:
        """The address of a file, which changes whenever any file does."""
        if name not in self._files:
            raise LookupError(f"there is no static file {name!r}")
        return f"{self._at}/{self.digest}/{name}"

    def route(self) -> Route:
        return Route(f"{self._at}/{{digest}}/{{name:path}}", self._answer, methods=["GET"])

    async def _answer(self, request: Request) -> Response:
        asset = self._files.get(request.path_params["name"])
        if asset is None:
            raise PageNotFound(request.url.path)
        # A page from before an upgrade asks with the old digest: it gets today's file, uncached.
        current = request.path_params["digest"] == self.digest
        headers = {
            "Cache-Control": FOR_EVER if current else "no-cache",
            "ETag": asset.etag,
            "Vary": "Accept-Encoding",
        }
        if asset.etag in request.headers.get("If-None-Match", ""):
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return Response(asset.packed, headers=headers, media_type=asset.media_type)
        return Response(asset.body, headers=headers, media_type=asset.media_type)


def _walk(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(tuple(MEDIA_TYPES)):
            yield f"{prefix}{entry.name}", entry


def _read(name: str, file: Traversable) -> Asset:
    body = file.read_bytes()
    return Asset(
        media_type=MEDIA_TYPES[name[name.rindex(".") :]],
        body=body,
        packed=gzip.compress(body, 9, mtime=0),
        etag=f'"{hashlib.sha256(body).hexdigest()[:32]}"',
    )
