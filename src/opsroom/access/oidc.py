"""Logging in at an identity provider: what is sent there, and what is believed of the answer.

OpenID Connect Core 1.0, authorization code flow (3.1) with PKCE (RFC 7636) and, where the
provider names itself in the answer, RFC 9207. No I/O here. The time is ours, not the library's.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from .errors import BadOidcSetting, OidcRefused
from .model import names_somebody

LEEWAY = timedelta(seconds=60)
# What providers sign with. Never a shared secret: our client secret is no proof of theirs.
ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
MOST_TOKEN = 64 * 1024
MOST_GROUPS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Oidc:
    """An identity provider. `groups` maps a group there to roles here: `role` in
    `project`, `prj_…:role` in another one, `org_…:role` in every project of an organisation.
    """

    issuer: str
    client: str
    secret: str = field(default="", repr=False)
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()
    groups_claim: str = "groups"
    name_claim: str = "preferred_username"
    scopes: str = "openid profile email"
    project: str = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Where the provider does what; `logout` is empty where it offers none."""

    authorization: str
    token: str
    keys: str
    logout: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who the provider says has logged in, and the roles that their groups give them here: none for
    somebody who is in none of them (any more). `mapped` are all that any group gives; `place:role`
    is one in a project or an organisation.
    """

    issuer: str
    subject: str
    name: str
    roles: tuple[str, ...]
    mapped: tuple[str, ...] = ()


class UnknownKey(Exception):
    """The token names a key that is not among those we know; there may be newer ones."""


def from_environment(environment: Mapping[str, str]) -> Oidc | None:
    """The identity provider that is set, if one is. Raises `BadOidcSetting`."""
    issuer = environment.get("OPSROOM_OIDC_ISSUER", "")
    if not issuer:
        return None
    if not secure(issuer):
        raise BadOidcSetting("OPSROOM_OIDC_ISSUER", "it begins with https://")
    client = environment.get("OPSROOM_OIDC_CLIENT", "")
    if not client:
        raise BadOidcSetting("OPSROOM_OIDC_CLIENT", "the provider knows us by a name")
    groups = _groups(environment.get("OPSROOM_OIDC_GROUPS", ""))
    if not groups:
        raise BadOidcSetting("OPSROOM_OIDC_GROUPS", "nobody could come in: no group has a role")
    known = Oidc(issuer=issuer, client=client)
    return Oidc(
        issuer=issuer,
        client=client,
        secret=environment.get("OPSROOM_OIDC_SECRET", ""),
        groups=groups,
        groups_claim=environment.get("OPSROOM_OIDC_GROUPS_CLAIM") or known.groups_claim,
        name_claim=environment.get("OPSROOM_OIDC_NAME_CLAIM") or known.name_claim,
        scopes=environment.get("OPSROOM_OIDC_SCOPES") or known.scopes,
    )


def _groups(text: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """`group=role,role; group=role` as pairs."""
    found: list[tuple[str, tuple[str, ...]]] = []
    for part in filter(None, (one.strip() for one in text.split(";"))):
        group, equals, roles = part.rpartition("=")
        named = tuple(filter(None, (role.strip() for role in roles.split(","))))
        if not equals or not group.strip() or not named:
            raise BadOidcSetting("OPSROOM_OIDC_GROUPS", f"{part!r} is no group=role,role")
        found.append((group.strip(), named))
    return tuple(found)


def secure(url: str) -> bool:
    """Whether nobody on the way can change what is said; on this machine nobody is."""
    here = ("http://127.0.0.1", "http://localhost", "http://[::1]")
    return url.startswith("https://") or any(
        url == one or url.startswith((f"{one}:", f"{one}/")) for one in here
    )


def endpoints(of: Oidc, told: Any) -> Endpoints:
    """What a discovery document says. Raises `OidcRefused` for one of somebody else."""
    if not isinstance(told, Mapping) or told.get("issuer") != of.issuer:
        raise OidcRefused("the provider calls itself by another name")
    found = [
        told.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
    ]
    if not all(isinstance(one, str) and secure(one) for one in found):
        raise OidcRefused("the provider does not say where to log in securely")
    logout = told.get("end_session_endpoint")
    return Endpoints(
        authorization=str(found[0]),
        token=str(found[1]),
        keys=str(found[2]),
        logout=logout if isinstance(logout, str) and secure(logout) else "",
    )


def authorization_url(
    of: Oidc, at: Endpoints, *, redirect: str, state: str, nonce: str, verifier: str
) -> str:
    """Where the browser is sent to log in."""
    asked = {
        "response_type": "code",
        "client_id": of.client,
        "redirect_uri": redirect,
        "scope": of.scopes,
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge(verifier),
        "code_challenge_method": "S256",
    }
    return _with(at.authorization, asked)


def logout_url(of: Oidc, at: Endpoints, *, back: str, hint: str) -> str:
    """Where the browser is sent to log out, and from there `back`; `hint` is the ID token of the
    login, where it is at hand (OpenID Connect RP-Initiated Logout 1.0, 2).
    """
    asked = {"client_id": of.client, "post_logout_redirect_uri": back}
    return _with(at.logout, asked | ({"id_token_hint": hint} if hint else {}))


def _with(url: str, asked: Mapping[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(asked)}"


def challenge(verifier: str) -> str:
    """RFC 7636, 4.2."""
    hashed = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode("ascii")


def person_of(
    of: Oidc, token: str, keys: Sequence[Any], *, nonce: str, now: datetime
) -> Person:
    """Who an ID token speaks for, once everything about it was checked (OIDC Core, 3.1.3.7).

    Raises `OidcRefused`, or `UnknownKey` when its key is not among `keys`.
    """
    claims = _verified(of, token, keys)
    _check_times(claims, now)
    audience = claims.get("aud")
    party = claims.get("azp")
    if party not in {None, of.client} or (
        isinstance(audience, list) and len(audience) > 1 and party is None
    ):
        raise OidcRefused("the token was made for another program as well")
    given = claims.get("nonce")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):
        raise OidcRefused("the token belongs to another login")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise OidcRefused("the token does not say who it is")
    name = claims.get(of.name_claim)
    if not isinstance(name, str) or not names_somebody(name):
        raise OidcRefused(f"the claim {of.name_claim!r} is no name that somebody can have here")
    mapped = tuple(dict.fromkeys(role for _, given in of.groups for role in given))
    return Person(
        issuer=of.issuer, subject=subject, name=name, roles=_roles(of, claims), mapped=mapped
    )


def _verified(of: Oidc, token: str, keys: Sequence[Any]) -> dict[str, Any]:
    """The claims of a token that the provider has signed, for us."""
    import jwt  # noqa: PLC0415  # only where an identity provider is set

    if len(token) > MOST_TOKEN:
        raise OidcRefused("the token is too long")
    try:
        header = jwt.get_unverified_header(token)
        algorithm = header.get("alg")
        if algorithm not in ALGORITHMS:
            raise OidcRefused(f"the token is signed by {str(algorithm)[:20]!r}")
        key = _key(keys, header.get("kid"), str(algorithm))
        claims: dict[str, Any] = jwt.decode(
            token,
            key=jwt.PyJWK.from_dict(dict(key), algorithm=str(algorithm)),
            algorithms=[str(algorithm)],
            audience=of.client,
            issuer=of.issuer,
            options={
                "require": ["exp", "iat", "aud", "iss", "sub"],
                # Times are checked by our own clock.
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
    except jwt.InvalidAudienceError as error:
        raise OidcRefused("the token was made for another program") from error
    except jwt.InvalidIssuerError as error:
        raise OidcRefused("the token is of another provider") from error
    except jwt.InvalidSignatureError as error:
        raise OidcRefused("the signature is wrong") from error
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise OidcRefused(f"the token cannot be read ({type(error).__name__})") from error
    return claims


def _key(keys: Sequence[Any], kid: object, algorithm: str) -> Mapping[str, Any]:
    """The public key that a token names; the only one that fits where it names none."""
    kinds = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
    fitting = [
        key
        for key in keys
        if isinstance(key, Mapping)
        and key.get("kty") == kinds[algorithm[:2]]
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and (kid is None or key.get("kid") == kid)
    ]
    if not fitting:
        raise UnknownKey
    if len(fitting) > 1:
        raise OidcRefused("the token does not say by which key it is signed")
    return fitting[0]


def _check_times(claims: Mapping[str, Any], now: datetime) -> None:
    moment = now.timestamp()
    leeway = LEEWAY.total_seconds()
    expires, issued, begins = (claims.get(name, 0) for name in ("exp", "iat", "nbf"))
    if not all(
        isinstance(one, int | float) and not isinstance(one, bool)
        for one in (expires, issued, begins)
    ):
        raise OidcRefused("the token's times are no times")
    if not moment < expires + leeway:
        raise OidcRefused("the token has expired")
    if issued > moment + leeway or begins > moment + leeway:
        raise OidcRefused("the token is from the future; a clock is wrong")


def _roles(of: Oidc, claims: Mapping[str, Any]) -> tuple[str, ...]:
    told = claims.get(of.groups_claim, ())
    groups = [told] if isinstance(told, str) else told
    if not isinstance(groups, list | tuple):
        raise OidcRefused(f"the claim {of.groups_claim!r} is no list of groups")
    mine = {one for one in groups[:MOST_GROUPS] if isinstance(one, str)}
    roles = [role for group, given in of.groups if group in mine for role in given]
    return tuple(dict.fromkeys(roles))
