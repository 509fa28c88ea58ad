"""Web addresses and mail addresses."""

from typing import Literal
from urllib.parse import parse_qs, quote, unquote, urljoin, urlsplit

PURE = True


def domain_of(url: str) -> str:
    """Find the domain of a web address.

    Args:
        url: The web address, such as "https://www.example.org/news" or "https://shop.example.com/cart?id=7".
    """
    host = urlsplit(url).hostname
    if not host:
        raise ValueError("that is no web address")
    return host


def path_of(url: str) -> str:
    """Find the path of a web address.

    Args:
        url: The web address, such as "https://example.org/blog/2026/spring" or "https://example.com/help".
    """
    return urlsplit(url).path


def query_value(url: str, key: str) -> str:
    """Read a value from the query of a web address.

    Args:
        url: The web address, such as "https://example.org/search?q=tea&page=2".
        key: The name of the value, such as "q" or "page".
    """
    return parse_qs(urlsplit(url).query)[key][0]


def join_address(base: str, path: str) -> str:
    """Join a web address and a path.

    Args:
        base: The web address, such as "https://example.org/docs/".
        path: The path, such as "install.html" or "guide/start".
    """
    return urljoin(base, path)


def encode_for_url(text: str) -> str:
    """Encode a text so that it can stand in a web address.

    Args:
        text: The text, such as "fish & chips" or "two words".
    """
    return quote(text)


def decode_from_url(text: str) -> str:
    """Decode a text from a web address.

    Args:
        text: The encoded text, such as "two%20words" or "caf%C3%A9".
    """
    return unquote(text)


def mail_domain(address: str) -> str:
    """Find the domain of a mail address.

    Args:
        address: The mail address, such as "mira@example.org".
    """
    return address.rsplit("@", 1)[1]


def is_secure(url: str) -> bool:
    """Tell whether a web address is secure.

    Args:
        url: The web address, such as "http://example.net" or "https://bank.example.com".
    """
    return urlsplit(url).scheme == "https"


def default_port(scheme: Literal["http", "https", "ftp", "ssh"]) -> int:
    """Look up the default port of a scheme.

    Args:
        scheme: The scheme.
    """
    return {"http": 80, "https": 443, "ftp": 21, "ssh": 22}[scheme]


def file_extension(name: str) -> str:
    """Find the extension of a file name.

    Args:
        name: The file name, such as "report.pdf" or "holiday.tar.gz".
    """
    if "." not in name:
        raise ValueError("the name has no extension")
    return name.rsplit(".", 1)[1]
