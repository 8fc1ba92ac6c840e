"""A DNS server on loopback that answers what a function says, and is silent when it says so."""

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

# Of a name and a kind (`A`, `TXT`): the names on the way and the values; None: no such name.
Answer = Callable[[str, str], "tuple[list[str], list[str]] | None"]
TTL = 30


def _respond(request: dns.message.Message, answer: Answer) -> dns.message.Message:
    response = dns.message.make_response(request)
    response.flags |= dns.flags.AA | dns.flags.RA
    question = request.question[0]
    name = question.name.to_text(omit_final_dot=True)
    found = answer(name, dns.rdatatype.to_text(question.rdtype))
    if found is None:
        response.set_rcode(dns.rcode.NXDOMAIN)
        return response
    way, values = found
    for target in way:
        response.answer.append(dns.rrset.from_text(f"{name}.", TTL, "IN", "CNAME", f"{target}."))
        name = target
    if values:
        kind = dns.rdatatype.to_text(question.rdtype)
        response.answer.append(dns.rrset.from_text(f"{name}.", TTL, "IN", kind, *values))
    return response


@contextmanager
def serve(answer: Answer) -> Iterator[tuple[str, int]]:
    """A server until the end of the context, and where it listens."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, socket = self.request
            response = _respond(dns.message.from_wire(data), answer)
            socket.sendto(response.to_wire(), self.client_address)

    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        address: Any = server.server_address
        try:
            yield str(address[0]), int(address[1])
        finally:
            server.shutdown()
            thread.join()
