"""Which addresses out there we are willing to call. No I/O.

Somebody who may enter a URL must not be able to reach what only this machine can reach: the
cloud's metadata service, a database on the loopback interface, the router's page.
"""

import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import httpx2

from .errors import Invalid

Address = IPv4Address | IPv6Address
HostPort = tuple[str, int]

_PORTS = {"http": 80, "https": 443}
_ODD = re.compile(r"[\x00-\x20\x7f\\]")
# Beside what `is_global` knows: what older versions of it miss, and a metadata service that
# lies in public space.
_CLOSED = tuple(
    ip_network(text)
    for text in (
        "168.63.129.16/32",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "3fff::/20",
        "5f00::/16",
        "fec0::/10",
    )
)
_IPV4_COMPATIBLE = ip_network("::/96")
_NAT64 = ip_network("64:ff9b::/96")


@dataclass(eq=False)
class BadAddress(Invalid):
    code = "bad_address"
    text = "{0.url!r} is not an address that we call: {0.why}"
    hint = "give an http or https address without a user name, for example https://models.example/v1"
    url: str
    why: str


@dataclass(eq=False)
class PrivateAddress(Invalid):
    code = "private_address"
    text = "{0.host!r} leads to {0.address}, which is not a public address"
    hint = "if this server is yours, name it as host:port in OPSROOM_ALLOWED_HOSTS"
    host: str
    address: str


def check_url(url: str, *, allow: Iterable[str] = ()) -> httpx2.URL:
    """The parsed form of an address that may be stored and, as far as it shows, called.

    Names are not looked up here; whoever connects checks what they lead to. Raises
    `BadAddress` or `PrivateAddress`.
    """
    if _ODD.search(url):
        raise BadAddress(_harmless(url), "it holds a space, a backslash or a control character")
    try:
        parsed = httpx2.URL(url)
    except (httpx2.InvalidURL, TypeError, ValueError) as error:
        raise BadAddress(_harmless(url), "it cannot be read") from error
    check(parsed, allow=allowed(allow))
    return parsed


def check(url: httpx2.URL, *, allow: frozenset[HostPort]) -> None:
    """Refuse an address by what is written in it."""
    if url.scheme not in _PORTS:
        raise BadAddress(_harmless(str(url)), "only http and https are spoken here")
    if not url.host:
        raise BadAddress(_harmless(str(url)), "it names no host")
    if url.port is not None and not 0 < url.port < 65536:
        raise BadAddress(_harmless(str(url)), "there is no such port")
    if url.userinfo:
        raise BadAddress(_harmless(str(url)), "it carries a user name or a password")
    if host_port(url) not in allow and (address := literal(url.host)) is not None:
        check_address(url.host, address)


def check_address(host: str, address: Address) -> None:
    """Raise `PrivateAddress` unless `address`, which `host` leads to, is a public one."""
    if not _is_public(address):
        raise PrivateAddress(host, str(address))


def allowed(entries: Iterable[str]) -> frozenset[HostPort]:
    """Settings such as `localhost:11434` or `[::1]:8000`. Raises `BadAddress`."""
    return frozenset(_entry(entry) for entry in entries)


def host_port(url: httpx2.URL) -> HostPort:
    return url.host.lower(), url.port or _PORTS.get(url.scheme, 0)


def literal(host: str) -> Address | None:
    """The address that `host` spells out, in whatever notation; None for a name.

    A resolver reads 2130706433, 0x7f.1 and 0177.0.0.1 as 127.0.0.1, so we do, too.
    """
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except (OSError, UnicodeError, ValueError):
        return None


def _is_public(address: Address) -> bool:
    inner = _inside(address)
    if inner is not None:
        return _is_public(inner)
    if address.is_multicast or address.is_reserved or not address.is_global:
        return False
    return not any(address in closed for closed in _CLOSED if closed.version == address.version)


def _inside(address: Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for, where it is a way to write one."""
    if isinstance(address, IPv4Address):
        return None
    if embedded := address.ipv4_mapped or address.sixtofour:
        return embedded
    if address in _NAT64 or address in _IPV4_COMPATIBLE:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _entry(entry: str) -> HostPort:
    try:
        url = httpx2.URL(f"http://{entry}")
        port = int(entry.rpartition(":")[2])
    except (httpx2.InvalidURL, ValueError) as error:
        raise BadAddress(entry, "an exception is written as host:port") from error
    if not url.host or url.userinfo or url.raw_path != b"/" or not 0 < port < 65536:
        raise BadAddress(entry, "an exception is written as host:port")
    return url.host.lower(), port


def _harmless(url: str) -> str:
    """An address to show in an error: without a user name, a query or what follows."""
    scheme, mark, rest = url.partition("://")
    host = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    return (f"{scheme}{mark}{host}" if mark else "…")[:200]
