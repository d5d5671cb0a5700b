"""What may be called: public servers, and exceptions that somebody named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.kit.addresses import (
    BadAddress,
    PrivateAddress,
    allowed,
    check_address,
    check_url,
    literal,
)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openai.com/v1",
        "http://models.example:8080/v1?x=1",
        "https://8.8.8.8/",
        "https://[2606:4700:4700::1111]/",
        "https://134744072/",  # 8.8.8.8 in decimal
        "https://bücher.example/",
    ],
)
def test_public_addresses_are_fine(url: str) -> None:
    check_url(url)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "0.0.0.0",
        "0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "100.100.100.200",
        "169.254.169.254",
        "0xa9fea9fe",
        "2852039166",
        "168.63.129.16",
        "192.0.0.192",
        "198.18.0.1",
        "203.0.113.5",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "[::]",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::127.0.0.1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::1]",
        "[2002:7f00:1::]",
        "[2001:0:7f00:1::]",
        "[fe80::1]",
        "[fec0::1]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[ff02::1]",
        "[2001:db8::1]",
        "[100::1]",
    ],
)
def test_what_only_this_machine_or_network_reaches_is_refused(host: str) -> None:
    with pytest.raises((PrivateAddress, BadAddress)):
        check_url(f"http://{host}:8080/v1")
    with pytest.raises((PrivateAddress, BadAddress)):
        check_url(f"https://{host}/")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "models.example",
        "/v1/chat",
        "//models.example",
        "ftp://models.example/",
        "file:///etc/passwd",
        "gopher://models.example:70/_x",
        "unix:/var/run/docker.sock",
        "javascript:alert(1)",
        "http://",
        "http:///v1",
        "https://user:pass@models.example/",
        "https://user@models.example/",
        "https://models.example@127.0.0.1/",
        "https://models.example/\r\nX-Evil: 1",
        "https://models.example/a b",
        "https://models.example\\@127.0.0.1/",
        "https://models.example/\x00",
        "https://models.example:99999/",
        "https://[::1/",
        "https://127.0.0.1:port/",
    ],
)
def test_what_is_no_such_address_is_refused(url: str) -> None:
    with pytest.raises((BadAddress, PrivateAddress)):
        check_url(url)


def test_errors_do_not_repeat_a_password() -> None:
    with pytest.raises(BadAddress) as refused:
        check_url("https://user:hunter2@models.example/?key=hunter3")
    assert "hunter" not in str(refused.value.as_dict())
    assert refused.value.url == "https://models.example"


def test_exceptions_are_exact() -> None:
    allow = ["localhost:11434", "127.0.0.1:8000", "[::1]:8000", "Models.Internal:443"]
    for url in (
        "http://localhost:11434/v1",
        "http://127.0.0.1:8000/",
        "http://[::1]:8000/",
        "https://models.internal/",
    ):
        check_url(url, allow=allow)
    for url in ("http://127.0.0.1:8001/", "http://127.0.0.1/", "http://127.0.0.2:8000/"):
        with pytest.raises(PrivateAddress):
            check_url(url, allow=allow)
    for url in ("ftp://127.0.0.1:8000/", "http://me@127.0.0.1:8000/"):
        with pytest.raises(BadAddress):
            check_url(url, allow=allow)


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "localhost",
        "http://localhost:80",
        "localhost:0",
        "localhost:x",
        "a:1/b",
        "u@a:1",
        "*:80x",
        "a:99999",
    ],
)
def test_exceptions_without_a_port_or_with_more_are_refused(entry: str) -> None:
    with pytest.raises(BadAddress):
        allowed([entry])


@given(st.ip_addresses(v=4))
def test_every_way_to_write_an_address_gets_the_same_answer(address: object) -> None:
    plain = literal(str(address))
    assert plain is not None
    number = int(plain)
    for spelling in (
        str(number),
        hex(number),
        f"0{number:o}",
        f"::ffff:{plain}",
        f"64:ff9b::{plain}",
        ".".join(hex(part) for part in number.to_bytes(4)),
    ):
        other = literal(spelling)
        assert other is not None
        assert _refused(str(plain)) == _refused(spelling)


def _refused(text: str) -> bool:
    address = literal(text)
    assert address is not None
    try:
        check_address("host", address)
    except PrivateAddress:
        return True
    return False
