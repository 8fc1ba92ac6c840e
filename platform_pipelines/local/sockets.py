"""The server's sockets, all on 127.0.0.1 and all bound before anything else is done.

So a port that is taken is known at once, and port 0 has become a number before others are told.
"""

import socket
from collections.abc import Mapping
from dataclasses import dataclass

from platform_pipelines.errors import Refused
from platform_pipelines.local.world import Ports

HOST = "127.0.0.1"
BACKLOG = 256
TRIES = 20  # to find one number that is free for both UDP and TCP


@dataclass
class PortTaken(Refused):
    """Somebody else listens there, or we may not."""

    port: int
    reason: str
    variable: str = "the LOCAL_…_PORT variables"

    def __str__(self) -> str:
        return (
            f"port {self.port} on {HOST} cannot be used: {self.reason}; "
            f"stop what listens there, or set {self.variable}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sockets:
    """Bound sockets, one for each thing that we serve."""

    aws: socket.socket
    kube: dict[str, socket.socket]  # by the Region's alias
    service: socket.socket
    dns_udp: socket.socket
    dns_tcp: socket.socket

    @property
    def ports(self) -> Ports:
        """The numbers that were bound."""
        return Ports(
            aws=_number(self.aws),
            kube={alias: _number(one) for alias, one in self.kube.items()},
            dns=_number(self.dns_udp),
            service=_number(self.service),
        )

    def close(self) -> None:
        """Give all of them back."""
        for one in (self.aws, *self.kube.values(), self.service, self.dns_udp, self.dns_tcp):
            one.close()


def see_free(ports: Ports, others: Mapping[str, int]) -> None:
    """See that nobody listens yet, without keeping a port; `others` are by their variable.

    Raises: PortTaken."""
    for variable, port in others.items():
        try:
            _bound(socket.SOCK_STREAM, port).close()
        except PortTaken as error:
            raise PortTaken(port, error.reason, variable) from None
    bind(ports).close()


def any_port() -> int:
    """A port of the system's choice, for a program that takes no socket."""
    with _bound(socket.SOCK_STREAM, 0) as one:
        return _number(one)


def bind(ports: Ports) -> Sockets:
    """Bind everything. Raises: PortTaken."""
    udp, tcp = _both(ports.dns)
    return Sockets(
        aws=_bound(socket.SOCK_STREAM, ports.aws),
        kube={alias: _bound(socket.SOCK_STREAM, port) for alias, port in ports.kube.items()},
        service=_bound(socket.SOCK_STREAM, ports.service),
        dns_udp=udp,
        dns_tcp=tcp,
    )


def _number(one: socket.socket) -> int:
    return int(one.getsockname()[1])


def _bound(kind: int, port: int) -> socket.socket:
    # With its protocol named, asyncio sets TCP_NODELAY; without, each small answer waits 40 ms.
    stream = kind == socket.SOCK_STREAM
    protocol = socket.IPPROTO_TCP if stream else socket.IPPROTO_UDP
    one = socket.socket(socket.AF_INET, kind, protocol)
    if stream:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        one.bind((HOST, port))
        if stream:
            one.listen(BACKLOG)
    except OSError as error:
        one.close()
        raise PortTaken(port, error.strerror or str(error)) from None
    return one


def _both(port: int) -> tuple[socket.socket, socket.socket]:
    """UDP and TCP on the same number."""
    for left in range(TRIES, 0, -1):
        udp = _bound(socket.SOCK_DGRAM, port)
        try:
            return udp, _bound(socket.SOCK_STREAM, _number(udp))
        except PortTaken:
            udp.close()
            if port or left == 1:
                raise
    raise AssertionError("the loop above returns or raises")
