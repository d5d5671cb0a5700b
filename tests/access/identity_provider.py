"""An identity provider on loopback: it logs people in, checks PKCE, signs, and lies on request."""

import base64
import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

from opsroom.access.oidc import Oidc
from opsroom.kit.clock import ManualClock

CLIENT = "opsroom"
SECRET = "a secret of ours and theirs"
GROUPS = (("desk", ("author",)), ("ops", ("operator", "reviewer")))


def encoded(part: Any) -> str:
    text = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


@cache
def new_key(_name: str) -> rsa.RSAPrivateKey:
    """A key of its own for each name; making one takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class IdentityProvider:
    """What it says of whom is in `claims`; `sign` turns claims into a token."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.key = new_key("first")
        self.kid = "one"
        self.claims: dict[str, Any] = {}
        self.person = {"sub": "p-1", "preferred_username": "ana", "groups": ["desk"]}
        self.sign = self.signed
        self.codes: dict[str, dict[str, str]] = {}
        self.discovery: dict[str, Any] = {}
        self.asked: list[str] = []
        self.base = "https://login.example"

    @property
    def settings(self) -> Oidc:
        return Oidc(issuer=self.base, client=CLIENT, secret=SECRET, groups=GROUPS)

    @property
    def public(self) -> bytes:
        """The public key as everybody can read it."""
        return self.key.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )

    def log_in(self, address: str) -> dict[str, str]:
        """What the browser brings back after somebody logged in at this address."""
        asked = {name: one[0] for name, one in parse_qs(urlsplit(address).query).items()}
        assert address.startswith(f"{self.base}/authorize?")
        assert (asked["response_type"], asked["client_id"]) == ("code", CLIENT)
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        return {"code": code, "state": asked["state"], "iss": self.base}

    def signed(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": self.kid})

    def unsigned(self, claims: dict[str, Any]) -> str:
        return f"{encoded({'alg': 'none', 'kid': self.kid})}.{encoded(claims)}."

    def shared(self, claims: dict[str, Any], secret: bytes) -> str:
        """Signed by HMAC, with what was never meant to be a secret between us."""
        text = f"{encoded({'alg': 'HS256', 'kid': self.kid})}.{encoded(claims)}"
        mac = hmac.new(secret, text.encode(), hashlib.sha256).digest()
        return f"{text}.{encoded(mac)}"

    def token(self, nonce: str) -> str:
        """The ID token of whoever logs in, as truthful as it is told to be."""
        now = int(self._clock.now().timestamp())
        claims = {
            "iss": self.base,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            **self.person,
            **self.claims,
        }
        return self.sign({name: one for name, one in claims.items() if one is not None})

    def redeem(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        asked = self.codes.pop(form.get("code", ""), None)
        hashed = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if (
            asked is None
            or encoded(hashed) != asked["code_challenge"]
            or form.get("client_secret") != SECRET
            or form.get("redirect_uri") != asked["redirect_uri"]
        ):
            return 400, {"error": "invalid_grant"}
        return 200, {"token_type": "Bearer", "id_token": self.token(asked["nonce"])}

    def keys(self) -> list[dict[str, Any]]:
        """Its public key, and a secret that should not lie beside it and proves nothing."""
        key = RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        secret = {"kty": "oct", "kid": "two", "k": encoded(b"x" * 32)}
        return [{**key, "kid": self.kid, "use": "sig"}, secret]

    def told(self, path: str) -> tuple[int, Any]:
        match path:
            case "/.well-known/openid-configuration":
                return 200, {
                    "issuer": self.base,
                    "authorization_endpoint": f"{self.base}/authorize",
                    "token_endpoint": f"{self.base}/token",
                    "jwks_uri": f"{self.base}/keys",
                    **self.discovery,
                }
            case "/keys":
                return 200, {"keys": self.keys()}
            case _:
                return 404, {}


@contextmanager
def providing(clock: ManualClock) -> Iterator[IdentityProvider]:
    """A provider that answers on loopback."""
    provider = IdentityProvider(clock)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name that the library calls
            provider.asked.append(self.path)
            self._say(*provider.told(self.path))

        def do_POST(self) -> None:
            provider.asked.append(self.path)
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: one[0] for name, one in parse_qs(body).items()}
            self._say(*provider.redeem(form))

        def _say(self, status: int, body: Any) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.base = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
