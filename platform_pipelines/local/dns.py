"""The DNS server of the local Regions: Route 53's data plane on loopback, UDP and TCP.

It answers the hosted zones' records with their TTLs, so a client that caches sees a failover when a
real one would. No outage touches it: Route 53 belongs to no Region.
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import dnslib

from platform_pipelines.local.aws.zones import Answer, Code, Row

Resolve = Callable[[str, str], Answer]

wire: Any = dnslib  # it has no types

UDP_SIZE = 512  # without EDNS
OPT = 41  # the pseudo-record of EDNS
IDLE = 10.0  # real seconds that a TCP client may think


def respond(packet: bytes, resolve: Resolve) -> Any:
    """The reply to a query, a `DNSRecord`; None to what is no query."""
    try:
        query = wire.DNSRecord.parse(packet)
    except wire.DNSError:
        return None
    if query.header.qr or len(query.questions) != 1:
        return None
    answer = resolve(str(query.q.qname), wire.QTYPE.get(query.q.qtype))
    reply = query.reply(ra=1, aa=answer.code is not Code.REFUSED)
    reply.header.rcode = getattr(wire.RCODE, answer.code.value)
    for row in answer.rows:
        reply.add_answer(*_records(row))
    if answer.authority:
        reply.add_auth(*_records(answer.authority))
    return reply


def _records(row: Row) -> list[Any]:
    records: list[Any] = wire.RR.fromZone(f"{row.name}. {row.ttl} IN {row.type} {row.value}")
    return records


def for_udp(reply: Any, packet: bytes) -> bytes:
    """The reply as it fits into a datagram; else a short one that sends the client to TCP."""
    size = max(
        [UDP_SIZE, *(one.rclass for one in wire.DNSRecord.parse(packet).ar if one.rtype == OPT)]
    )
    data = reply.pack()
    return bytes(data if len(data) <= size else reply.truncate().pack())


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        reply = respond(data, self._resolve)
        if reply is not None:
            self._transport.sendto(for_udp(reply, data), addr)


async def _talk(
    resolve: Resolve, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer the queries of one TCP connection, each after its length."""
    try:
        while True:
            (length,) = struct.unpack("!H", await asyncio.wait_for(reader.readexactly(2), IDLE))
            reply = respond(await reader.readexactly(length), resolve)
            if reply is None:
                return
            data = reply.pack()
            writer.write(struct.pack("!H", len(data)) + data)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
        return
    finally:
        writer.close()


@asynccontextmanager
async def serving(udp: socket.socket, tcp: socket.socket, resolve: Resolve) -> AsyncIterator[None]:
    """Answer on two bound sockets until the end of the context."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(resolve), sock=udp)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _talk(resolve, reader, writer)

    server = await asyncio.start_server(talk, sock=tcp)
    try:
        yield
    finally:
        server.close()
        transport.close()
