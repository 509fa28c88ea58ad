"""Where a host is: looked up once, and the address that answered is kept, so that a name cannot come to mean another
machine between two calls. A private address counts only where the user wrote the base URL."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from dataclasses import dataclass

TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
"""IPv6 addresses that a gateway makes of IPv4's, private ones among them."""


class NoAddress(Exception):
    """A host that is not there, or that may not be asked; one sentence."""


@dataclass(frozen=True)
class Place:
    """``named``: the user wrote the base URL, not a document that came from somewhere."""

    host: str
    port: int
    named: bool


class Addresses:
    """``of`` gives the addresses of a place to try in turn, one alone once ``keep`` said which answered."""

    def __init__(self) -> None:
        self._kept: dict[Place, list[str]] = {}

    async def of(self, place: Place) -> list[str]:
        """Never empty, and without private ones unless the place is ``named``. Raises NoAddress."""
        if place not in self._kept:
            try:
                loop = asyncio.get_running_loop()
                found = await loop.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
            except (OSError, UnicodeError):
                raise NoAddress(f"there is no host named {place.host}") from None
            addresses = list(dict.fromkeys(str(row[4][0]) for row in found))
            usable = [a for a in addresses if place.named or not is_private(a)]
            if not usable:
                raise NoAddress(
                    f"{place.host} leads to the private address {addresses[0]}; name it in the base URL to allow it"
                )
            self._kept.setdefault(place, usable)
        return self._kept[place]

    def keep(self, place: Place, address: str) -> None:
        self._kept[place] = [address]


def is_private(address: str) -> bool:
    """Whether it is none of the public network: this machine, a local network, a cloud's metadata, many at once."""
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and (ip.sixtofour or ip in TRANSLATED):
        ip = ip.sixtofour or ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return not ip.is_global or ip.is_multicast


def says_private(host: str) -> bool:
    """Whether ``host`` is written so that it can mean nothing but a private address: known without looking it up."""
    try:
        return is_private(host.strip("[]"))
    except ValueError:
        return host.lower().rstrip(".").split(".")[-1] == "localhost"
