"""Which addresses may be called because a user wrote them down: pure.

A gate or a provider of metrics is called from Detour's pod, so what answers only its neighbours (its own loopback, the
metadata service of a cloud, the API server) would answer whoever may write a Canary. What is judged is the address that
is connected to, however it was written and whatever a name stood for a moment before.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Place = tuple[Address, int]
"""Where something listens: address and port."""

METADATA = frozenset(
    map(ip_address, ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"))
)
"""Alibaba's, Azure's, Oracle's, and those that AWS and Google have beside the link-local one."""

NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052
THIS_NETWORK = IPv4Network("0.0.0.0/8")  # connecting to it ends on the loopback
BROADCAST = IPv4Address("255.255.255.255")
OPTION = "--allow-address"


@dataclass(frozen=True, slots=True)
class Addresses:
    """What the operator allows beside the usual, by network or by name; and where the API server is."""

    networks: tuple[Network, ...] = ()
    names: frozenset[str] = frozenset()
    servers: frozenset[Place] = frozenset()

    @classmethod
    def allowing(cls, *texts: str) -> "Addresses":
        """From what the operator wrote: an address, a network (10.0.0.0/8) or a name. Raises ValueError."""
        networks, names = [], set()
        for text in texts:
            try:
                networks.append(ip_network(text.strip("[]"), strict=False))
            except ValueError:
                if not text or "/" in text or ":" in text:
                    raise ValueError(f"{text!r} is no address, network or name of a host") from None
                names.add(_name(text))
        return cls(tuple(networks), frozenset(names))

    def beside(self, servers: Iterable[Place]) -> "Addresses":
        """The same, where the API server listens at these places."""
        return replace(self, servers=frozenset((_bare(address), port) for address, port in servers))

    def refusal(self, host: str, address: str, port: int) -> str:
        """Why `host`, which stands for `address`, may not be called; "" if it may."""
        found = _bare(ip_address(address))
        reason = _reason(found) or ("the API server's" if (found, port) in self.servers else "")
        if not reason or _name(host) in self.names or any(found in network for network in self.networks):
            return ""
        return f"{found} is {reason} and may not be called, unless the analyzer is started with {OPTION}={found}"


def _reason(address: Address) -> str:
    if address.is_loopback:
        return "the loopback"
    if address.is_unspecified or address in THIS_NETWORK:
        return "this machine"
    if address.is_link_local or address in METADATA:
        return "where clouds keep credentials"
    if address.is_multicast or address == BROADCAST:
        return "many machines at once"
    return ""


def _bare(address: Address) -> Address:
    """The IPv4 address that an IPv6 one leads to, where it is a way of writing that (RFC 4291, 3056, 6052)."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or IPv6Address(address.packed)  # without its zone


def _name(host: str) -> str:
    return host.rstrip(".").lower()
