"""DNS as a client sees it, asked anew each time: no cache of ours stands between.

With `PLATFORM_DNS` one resolver is asked. Without it the checkers' verdict (TXT) is asked at the
zone's own servers, as fresh as Route 53's data plane, and addresses at the system's resolver, as
clients do: they end outside of the zone, at the load balancer's own name.
"""

from dataclasses import dataclass

import dns.exception
import dns.resolver

from platform_pipelines.aws.settings import Settings
from platform_pipelines.errors import Failed

TIMEOUT = 1.5  # real seconds


@dataclass
class NameNotResolved(Failed):
    """A name has no answer, or nobody answered."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name} does not resolve: {self.reason}. Look at its records in Route 53."


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a name resolves to at this moment."""

    canonical: str  # the end of the CNAME chain
    addresses: tuple[str, ...]


class Resolver:
    """Asks the resolver of the settings, or the servers of the domain's zone."""

    def __init__(self, settings: Settings, domain: str, timeout: float = TIMEOUT) -> None:
        self._settings = settings
        self._domain = domain
        self._timeout = timeout
        self._servers: dns.resolver.Resolver | None = None

    def addresses(self, name: str) -> Answer:
        """The addresses of a name, over its CNAMEs. Raises: NameNotResolved."""
        found = self._ask(name, "A")
        return Answer(
            canonical=str(found.canonical_name).rstrip("."),
            addresses=tuple(sorted(record.to_text() for record in found)),
        )

    def text(self, name: str) -> str:
        """The TXT record of a name. Raises: NameNotResolved."""
        found = self._ask(name, "TXT")
        return "".join(part.decode() for record in found for part in record.strings)

    def _ask(self, name: str, kind: str) -> dns.resolver.Answer:
        try:
            return self._resolver(kind).resolve(name, kind, lifetime=self._timeout, search=False)
        except dns.exception.DNSException as error:
            raise NameNotResolved(name, str(error) or type(error).__name__) from error

    def _resolver(self, kind: str) -> dns.resolver.Resolver:
        if self._settings.dns:
            return _at([self._settings.dns[0]], self._settings.dns[1])
        if kind != "TXT":
            return dns.resolver.Resolver()
        if self._servers is None:
            self._servers = _at(_zone_servers(self._domain), 53)
        return self._servers


def _at(servers: list[str], port: int) -> dns.resolver.Resolver:
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = list(servers)
    resolver.port = port
    return resolver


def _zone_servers(domain: str) -> list[str]:
    system = dns.resolver.Resolver()
    names = [record.to_text() for record in system.resolve(domain, "NS", lifetime=TIMEOUT)]
    return [
        record.to_text() for name in names for record in system.resolve(name, "A", lifetime=TIMEOUT)
    ]
