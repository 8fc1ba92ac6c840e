"""The DNS server: the wire format, both transports, and what it answers to nonsense."""

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.resolver
import pytest

from platform_pipelines.local import dns as server
from platform_pipelines.local.aws.zones import Answer, Code, Row
from tests.local_world import LocalWorld

SOA = Row(
    name="example.com",
    type="SOA",
    ttl=900,
    value="ns-1.awsdns-1.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400",
)


def _ask(answer: Answer, kind: str = "A") -> dns.message.Message:
    query = dns.message.make_query("a.example.com", kind)
    reply = server.respond(query.to_wire(), lambda _name, _kind: answer)
    return dns.message.from_wire(bytes(reply.pack()))


def test_a_chain_comes_whole_with_each_ttl_and_with_authority() -> None:
    """A client needs one question for a host and its address."""
    rows = (
        Row(name="a.example.com", type="CNAME", ttl=30, value="b.example.com."),
        Row(name="b.example.com", type="A", ttl=60, value="192.0.2.10"),
    )
    reply = _ask(Answer(code=Code.NOERROR, rows=rows))
    assert [(str(one.name), one.ttl) for one in reply.answer] == [
        ("a.example.com.", 30),
        ("b.example.com.", 60),
    ]
    assert reply.flags & dns.flags.AA


def test_text_comes_without_route_53s_quotes() -> None:
    """Quotes are how the API writes it, not a part of it."""
    row = Row(name="a.example.com", type="TXT", ttl=10, value='"up"')
    reply = _ask(Answer(code=Code.NOERROR, rows=(row,)), "TXT")
    assert reply.answer[0][0].strings == (b"up",)


@pytest.mark.parametrize("code", [Code.NXDOMAIN, Code.REFUSED, Code.SERVFAIL])
def test_a_question_without_answer_says_why(code: Code) -> None:
    """With the zone's SOA, by which a resolver knows how long to remember that."""
    reply = _ask(Answer(code=code, authority=SOA))
    assert dns.rcode.to_text(reply.rcode()) == code.value
    assert reply.authority[0].rdtype == dns.rdatatype.SOA
    assert bool(reply.flags & dns.flags.AA) == (code is not Code.REFUSED)  # not ours to know


@pytest.mark.parametrize("packet", [b"", b"\x00", b"no dns at all", b"\xff" * 40])
def test_nonsense_is_not_answered(packet: bytes) -> None:
    """And breaks nothing."""
    assert server.respond(packet, lambda _name, _kind: Answer(code=Code.NOERROR)) is None


def test_an_answer_is_not_answered() -> None:
    """Else two servers would talk for ever."""
    packet = dns.message.make_response(dns.message.make_query("a.example.com", "A")).to_wire()
    assert server.respond(packet, lambda _name, _kind: Answer(code=Code.NOERROR)) is None


def test_what_does_not_fit_into_a_datagram_sends_the_client_to_tcp() -> None:
    """Unless the client said by EDNS that it takes more."""
    rows = tuple(
        Row(name="a.example.com", type="A", ttl=1, value=f"192.0.2.{n}") for n in range(60)
    )
    answer = Answer(code=Code.NOERROR, rows=rows)
    plain = dns.message.make_query("a.example.com", "A")
    reply = server.respond(plain.to_wire(), lambda _name, _kind: answer)
    short = dns.message.from_wire(server.for_udp(reply, plain.to_wire()))
    assert short.flags & dns.flags.TC
    large = dns.message.make_query("a.example.com", "A", use_edns=0, payload=4096)
    reply = server.respond(large.to_wire(), lambda _name, _kind: answer)
    whole = dns.message.from_wire(server.for_udp(reply, large.to_wire()))
    assert len(whole.answer[0]) == 60


def test_the_server_answers_over_udp_and_tcp_what_the_api_was_told(
    local_regions: LocalWorld,
) -> None:
    """From a record that was written by the API, when the change is in sync."""
    route53 = local_regions.aws("route53")
    zone = route53.create_hosted_zone(Name="dns.example.net", CallerReference="dns")
    record = {
        "Name": "x.dns.example.net",
        "Type": "A",
        "TTL": 7,
        "ResourceRecords": [{"Value": "192.0.2.1"}],
    }
    change = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    info = route53.change_resource_record_sets(
        HostedZoneId=zone["HostedZone"]["Id"], ChangeBatch=change
    )["ChangeInfo"]
    waiter = route53.get_waiter("resource_record_sets_changed")
    waiter.wait(Id=info["Id"], WaiterConfig={"Delay": 0.05, "MaxAttempts": 100})
    host, _, port = local_regions.ready["dns"].rpartition(":")
    query = dns.message.make_query("X.dns.example.NET", "A")
    for transport in (dns.query.udp, dns.query.tcp):
        reply = transport(query, host, port=int(port), timeout=2)
        assert (reply.answer[0].ttl, reply.answer[0][0].address) == (7, "192.0.2.1")


def test_a_name_outside_of_the_zones_is_refused(local_regions: LocalWorld) -> None:
    """We are no open resolver."""
    with pytest.raises(dns.resolver.NoNameservers, match="REFUSED"):
        local_regions.resolver().resolve("www.example.org", "A", search=False)
