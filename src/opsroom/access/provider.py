"""Talking to the identity provider, and keeping what it said of itself for a while."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import httpx2

from opsroom.kit import outbound
from opsroom.kit.outbound import Limits

from .errors import OidcRefused
from .oidc import Endpoints, Oidc, endpoints

KEPT_FOR = 3600.0  # seconds
KEYS_AGAIN_AFTER = 60.0  # seconds; a token with a made-up key must not make us ask all the time
LIMITS = Limits(size=512 * 1024, seconds=10)


class Provider:
    """One identity provider. Safe to share between requests."""

    def __init__(
        self,
        of: Oidc,
        *,
        allow: Iterable[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.of = of
        self._allow = tuple(allow)
        self._clock = clock
        self._lock = threading.Lock()
        self._endpoints: tuple[float, Endpoints] | None = None
        self._keys: tuple[float, list[Any]] | None = None

    def endpoints(self) -> Endpoints:
        """Where it does what, as it said within the last hour."""
        with self._lock:
            return self._there()

    def keys(self, *, newer: bool = False) -> Sequence[Any]:
        """Its public keys, as it said within the last hour; `newer` ones at most each minute."""
        with self._lock:
            age = KEYS_AGAIN_AFTER if newer else KEPT_FOR
            if self._keys is None or self._clock() - self._keys[0] >= age:
                told = self._get(self._there().keys)
                found = told.get("keys") if isinstance(told, dict) else None
                if not isinstance(found, list):
                    raise OidcRefused("the provider shows no keys")
                self._keys = (self._clock(), found)
            return self._keys[1]

    def redeem(self, code: str, *, verifier: str, redirect: str) -> str:
        """The ID token that a code stands for. Raises `OidcRefused`."""
        asked = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect,
            "client_id": self.of.client,
            "code_verifier": verifier,
        }
        if self.of.secret:
            asked["client_secret"] = self.of.secret
        told = self._answer("POST", self.endpoints().token, data=asked)
        token = told.get("id_token") if isinstance(told, dict) else None
        if not isinstance(token, str):
            raise OidcRefused("the provider gave no ID token for the code")
        return token

    def _there(self) -> Endpoints:
        if self._endpoints is None or self._clock() - self._endpoints[0] >= KEPT_FOR:
            told = self._get(f"{self.of.issuer.rstrip('/')}/.well-known/openid-configuration")
            self._endpoints = (self._clock(), endpoints(self.of, told))
        return self._endpoints[1]

    def _get(self, url: str) -> Any:
        return self._answer("GET", url)

    def _answer(self, method: str, url: str, **rest: Any) -> Any:
        try:
            with outbound.client(allow=self._allow, limits=LIMITS) as client:
                response = client.request(method, url, **rest)
                if response.status_code != 200:
                    raise OidcRefused(f"the provider answered {response.status_code}")
                return response.json()
        except (httpx2.HTTPError, ValueError) as error:
            raise OidcRefused(
                f"the provider did not answer ({type(error).__name__})"
            ) from error
