"""What Route 53's hosted zones answer: records, failover by health check, CNAME chains, aliases.

Records live in ministack's store, where CloudFormation and the API put them. The DNS server and
`TestDNSAnswer` ask `Zones.resolve`; the controllers publish names with `upsert_record`.
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-configuring.html
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.world import World

Record = dict[str, Any]

BALANCER_SUFFIX = ".elb.amazonaws.com"
BALANCER_TTL = 60  # as AWS gives its load balancers' names; an alias has its target's
MAX_CHAIN = 8
PENDING = "_pending"  # in a zone's record: changes that its servers do not have, oldest first


class Code(StrEnum):
    """How a question ends."""

    NOERROR = "NOERROR"
    NXDOMAIN = "NXDOMAIN"
    REFUSED = "REFUSED"  # not a name of ours
    SERVFAIL = "SERVFAIL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of an answer."""

    name: str  # without the last dot
    type: str
    ttl: int  # seconds
    value: str  # as Route 53 writes it: TXT in quotes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a question gets."""

    code: Code
    rows: tuple[Row, ...] = ()
    authority: Row | None = None  # the zone's SOA, when there is nothing to say


class Zones:
    """The hosted zones of the platform's account."""

    def __init__(self, world: World, healthy: Callable[[str], bool]) -> None:
        self._world = world
        self._healthy = healthy  # by the health check's id

    def resolve(self, name: str, kind: str) -> Answer:
        """The answer to a question, over CNAMEs to its end."""
        with _store(self._world):
            rows: list[Row] = []
            name = _canonical(name)
            for _ in range(MAX_CHAIN):
                answer = self._step(name, kind)
                rows += answer.rows
                if not answer.rows or answer.rows[-1].type != "CNAME" or kind == "CNAME":
                    return self._ended(answer, rows)
                name = _canonical(answer.rows[-1].value)
            return Answer(code=Code.SERVFAIL)

    def _ended(self, last: Answer, rows: list[Row]) -> Answer:
        """A chain that leaves our names ends there: the rest is another server's."""
        code = Code.NOERROR if rows and last.code is Code.REFUSED else last.code
        return Answer(code=code, rows=tuple(rows), authority=last.authority)

    def _step(self, name: str, kind: str) -> Answer:
        if name.endswith(BALANCER_SUFFIX):
            return self._balancer(name, kind)
        zone = _zone_of(name)
        if zone is None:
            return Answer(code=Code.REFUSED)
        records = [record for record in _records(zone) if _canonical(record["Name"]) == name]
        chosen = self._choose([one for one in records if one["Type"] in (kind, "CNAME")])
        rows = tuple(row for record in chosen for row in self._rows(name, kind, record))
        if rows:
            return Answer(code=Code.NOERROR, rows=rows)
        code = Code.NOERROR if records or _has_below(zone, name) else Code.NXDOMAIN
        return Answer(code=code, authority=_soa(zone))

    def _balancer(self, name: str, kind: str) -> Answer:
        balancer = self._world.balancers.by_name(name)
        if balancer is None:
            return Answer(code=Code.NXDOMAIN)
        if kind != "A":
            return Answer(code=Code.NOERROR)
        row = Row(name=name, type="A", ttl=BALANCER_TTL, value=balancer.address)
        return Answer(code=Code.NOERROR, rows=(row,))

    def _choose(self, records: list[Record]) -> list[Record]:
        """Of a failover pair the one that answers now; all of a simple or multivalue set."""
        by_role = {record["Failover"]: record for record in records if "Failover" in record}
        primary, secondary = by_role.get("PRIMARY"), by_role.get("SECONDARY")
        if primary is None and secondary is None:
            return [record for record in records if self._is_healthy(record)] or records
        if primary is None or secondary is None:
            return list(by_role.values())
        moved = not self._is_healthy(primary) and self._is_healthy(secondary)
        return [secondary if moved else primary]

    def _is_healthy(self, record: Record) -> bool:
        alias = record.get("AliasTarget")
        if alias and alias["EvaluateTargetHealth"] and not self._target_is_healthy(alias):
            return False
        return "HealthCheckId" not in record or self._healthy(record["HealthCheckId"])

    def _target_is_healthy(self, alias: dict[str, Any]) -> bool:
        balancer = self._world.balancers.by_name(alias["DNSName"])
        return balancer is None or balancer.ready()

    def _rows(self, name: str, kind: str, record: Record) -> list[Row]:
        if "AliasTarget" in record:
            target = self._step(_canonical(record["AliasTarget"]["DNSName"]), kind)
            return [Row(name=name, type=kind, ttl=r.ttl, value=r.value) for r in target.rows]
        ttl = int(record.get("TTL", 300))
        return [
            Row(name=name, type=record["Type"], ttl=ttl, value=value)
            for value in record.get("ResourceRecords", ())
        ]


def upsert_record(world: World, name: str, type: str, values: list[str], ttl: int = 60) -> bool:  # noqa: A002  # Route 53's word
    """Publish a simple record; False when the account has no zone for the name yet."""
    with _store(world):
        zone = _zone_of(_canonical(name))
        if zone is None:
            return False
        record = {
            "Name": f"{_canonical(name)}.",
            "Type": type,
            "TTL": str(ttl),
            "ResourceRecords": list(values),
        }
        _replace(zone, name, type, [record])
    return True


def delete_record(world: World, name: str, type: str) -> None:  # noqa: A002  # Route 53's word
    """Take a simple record away; one that is not there is fine."""
    with _store(world):
        zone = _zone_of(_canonical(name))
        if zone is not None:
            _replace(zone, name, type, [])


def _replace(zone: str, name: str, kind: str, new: list[Record]) -> None:
    """Put records in place of those of a name and type, at once and everywhere."""
    store = ministack.service("route53")

    def replaced(records: list[Record]) -> list[Record]:
        wanted = (_canonical(name), kind)
        return [one for one in records if (_canonical(one["Name"]), one["Type"]) != wanted] + new

    store._records[zone] = replaced(store._records[zone])
    for change in store._zones[zone].get(PENDING, ()):
        change["before"] = replaced(change["before"])


@contextmanager
def _store(world: World) -> Iterator[None]:
    """Route 53 belongs to no Region; its store is the account's."""
    with ministack.scope(world.platform.account, world.platform.home_region.name):
        yield


def _zone_of(name: str) -> str | None:
    """The id of the zone with the longest name that `name` is in."""
    zones = ministack.service("route53")._zones.items()
    fitting = [
        (len(zone["name"]), id_)
        for id_, zone in zones
        if not zone.get("private") and f".{name}".endswith(f".{_canonical(zone['name'])}")
    ]
    return max(fitting)[1] if fitting else None


def _records(zone: str) -> list[Record]:
    """What the zone's servers have: the records as they were before the oldest pending change."""
    store = ministack.service("route53")
    pending = store._zones[zone].get(PENDING)
    records: list[Record] = pending[0]["before"] if pending else store._records.get(zone, [])
    return records


def _has_below(zone: str, name: str) -> bool:
    """Whether a record exists below the name: then the name exists too, though it is empty."""
    return any(_canonical(record["Name"]).endswith(f".{name}") for record in _records(zone))


def _soa(zone: str) -> Row | None:
    for record in _records(zone):
        if record["Type"] == "SOA":
            value = record["ResourceRecords"][0]
            return Row(
                name=_canonical(record["Name"]), type="SOA", ttl=int(record["TTL"]), value=value
            )
    return None


def _canonical(name: str) -> str:
    return name.rstrip(".").lower()
