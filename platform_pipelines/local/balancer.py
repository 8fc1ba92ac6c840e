"""The load balancers of the local Regions: who they are, where they answer, whether they are ready.

The controllers register one for each Ingress; DNS answers their names, Route 53's checkers and the
service port go through them. Addresses are of the ranges kept for documentation, one range a
Region, so that an address tells the Region and nothing is ever sent to the real network.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

# TEST-NET-1 and TEST-NET-2. https://www.rfc-editor.org/rfc/rfc5737
NETWORKS = ("192.0.2", "198.51.100")
FIRST_HOST, LAST_HOST = 10, 254


@dataclass(frozen=True, slots=True, kw_only=True)
class Balancer:
    """One load balancer."""

    region: str  # the Region's alias
    name: str  # its own DNS name, as peccy-web-1.ap-northeast-2.elb.amazonaws.com
    address: str
    hosts: tuple[str, ...]  # the host names that its rules know
    ready: Callable[[], bool] = field(compare=False)  # whether a healthy target is behind it


class Balancers:
    """The load balancers of both Regions. Used from the event loop's thread only."""

    def __init__(self, aliases: Sequence[str]) -> None:
        self._networks = dict(zip(aliases, NETWORKS, strict=True))
        self._by_name: dict[str, Balancer] = {}
        self._addresses: dict[str, str] = {}  # by name: kept over a restart of the server

    def register(
        self, region_alias: str, name: str, hosts: Iterable[str], ready: Callable[[], bool]
    ) -> str:
        """Add a load balancer, or change its hosts and readiness; returns its address."""
        name = _canonical(name)
        if name not in self._addresses:
            self._addresses[name] = self._free_address(region_alias)
        balancer = Balancer(
            region=region_alias,
            name=name,
            address=self._addresses[name],
            hosts=tuple(_canonical(host) for host in hosts),
            ready=ready,
        )
        self._by_name[name] = balancer
        return balancer.address

    def unregister(self, name: str) -> None:
        """Forget a load balancer; unknown ones are fine."""
        self._by_name.pop(_canonical(name), None)
        self._addresses.pop(_canonical(name), None)

    def by_name(self, name: str) -> Balancer | None:
        """The load balancer of this DNS name."""
        return self._by_name.get(_canonical(name))

    def by_address(self, address: str) -> Balancer | None:
        """The load balancer that answers at this address."""
        return next((one for one in self if one.address == address), None)

    def __iter__(self) -> Iterator[Balancer]:
        return iter(self._by_name.values())

    def dump(self) -> dict[str, str]:
        """The addresses by name; the controllers register everything else again."""
        return dict(self._addresses)

    def load(self, state: dict[str, str]) -> None:
        """Forget all load balancers, and keep these addresses for those that come back."""
        self._by_name.clear()
        self._addresses = dict(state)

    def _free_address(self, region_alias: str) -> str:
        network = self._networks[region_alias]
        taken = set(self._addresses.values())
        addresses = (f"{network}.{host}" for host in range(FIRST_HOST, LAST_HOST + 1))
        return next(address for address in addresses if address not in taken)


def _canonical(name: str) -> str:
    return name.rstrip(".").lower()
