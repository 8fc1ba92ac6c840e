"""The rules of `platform.yaml` that look at more than one value.

They read the file's plain data, not validated records, so that they can speak even when something
else is wrong: a file with five mistakes reports five. Whatever has the wrong shape is passed over
here, because the records of `model` report it. Each rule yields `path: value; what is allowed`.
"""

import ipaddress
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

Data = dict[str, Any]
ADDONS = (  # without these a cluster does not do what the platform needs
    *("amazon-cloudwatch-observability", "aws-efs-csi-driver", "coredns"),
    *("eks-pod-identity-agent", "kube-proxy", "vpc-cni"),
)
RESERVED = ("external", "readiness", "failover")  # a controller, and prefixes of assets
# The Regions whose tables can be strongly consistent with one another: the ledger's three.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html
STRONG = (
    {"us-east-1", "us-east-2", "us-west-2"},
    {"eu-central-1", "eu-west-1", "eu-west-2", "eu-west-3"},
    {"ap-northeast-1", "ap-northeast-2", "ap-northeast-3"},
)
IDENTIFIER = 63  # characters of an identifier in RDS
SUFFIX = len("-g99-15")  # of a DB cluster that was rebuilt often, and one of its instances
Rule = Callable[[Data], Iterable[str]]


def mistakes(data: Data) -> list[str]:
    """Everything that the rules find in a file."""
    return [line for rule in RULES for line in rule(data)]


def _items(data: Data, key: str) -> Iterator[tuple[str, Data]]:
    """The records below a list, each with its path."""
    records = data.get(key)
    if isinstance(records, list):
        for i, record in enumerate(records):
            if isinstance(record, dict):
                yield f"{key}[{i}]", record


def _values(data: Data, key: str, field: str) -> list[str]:
    values = (record.get(field) for _, record in _items(data, key))
    return [value for value in values if isinstance(value, str)]


def _network(value: object) -> ipaddress.IPv4Network | None:
    try:
        return ipaddress.IPv4Network(value) if isinstance(value, str) else None
    except ValueError:
        return None


def names_are_unique(data: Data) -> Iterable[str]:
    """No two records of a list share a name."""
    for key, field in (
        ("regions", "alias"),
        ("regions", "name"),
        ("node_groups", "name"),
        ("services", "name"),
        ("services", "host"),
        ("file_systems", "name"),
        ("databases", "name"),
    ):
        for value, count in Counter(_values(data, key, field)).items():
            if count > 1:
                yield f"{key}[].{field}: {value!r} stands there {count} times; each must be unique"


def regions_exist(data: Data) -> Iterable[str]:
    """`home` is one of the Regions, `witness` is a third one."""
    aliases, names = _values(data, "regions", "alias"), _values(data, "regions", "name")
    home, witness = data.get("home"), data.get("witness")
    if isinstance(home, str) and aliases and home not in aliases:
        yield f"home: {home!r} is not a Region; allowed: {', '.join(aliases)}"
    if isinstance(witness, str) and witness in names:
        yield f"witness: {witness!r} is one of the two Regions; allowed: a third one, as ap-northeast-3"


def a_ledger_can_be_strong(data: Data) -> Iterable[str]:
    """The two Regions and the witness are of one set."""
    witness = data.get("witness")
    if not isinstance(witness, str):
        return
    names = {witness, *_values(data, "regions", "name")}
    if not any(names <= one for one in STRONG):
        sets = "; ".join(", ".join(sorted(one)) for one in STRONG)
        yield f"witness: {witness!r} with {sorted(names - {witness})}; allowed: three of one set: {sets}"


def aliases_are_free(data: Data) -> Iterable[str]:
    """An alias must not be a word that stands for something else."""
    for path, region in _items(data, "regions"):
        if region.get("alias") in RESERVED:
            yield f"{path}.alias: {region['alias']!r}; allowed: none of {', '.join(RESERVED)}"


def zones_belong(data: Data) -> Iterable[str]:
    """A Region's zones are its own, and different."""
    for path, region in _items(data, "regions"):
        name, zones = region.get("name"), region.get("zones")
        if not (isinstance(name, str) and isinstance(zones, list)):
            continue
        texts = [zone for zone in zones if isinstance(zone, str)]
        if any(not zone.startswith(name) for zone in texts) or len(set(texts)) < len(texts):
            yield f"{path}.zones: {texts}; allowed: three different zones of {name}"


def networks_fit(data: Data) -> Iterable[str]:
    """Each range is large enough for three zones, and the two do not overlap."""
    seen: list[tuple[str, ipaddress.IPv4Network]] = []
    for path, region in _items(data, "regions"):
        network = _network(region.get("cidr"))  # strict: host bits are a mistake too
        if network is None or not 16 <= network.prefixlen <= 20:
            yield f"{path}.cidr: {region.get('cidr')!r}; allowed: an IPv4 network of /16 to /20, host bits 0"
            continue
        for other_path, other in seen:
            if network.overlaps(other):
                yield f"{path}.cidr: {network} overlaps {other_path}.cidr; allowed: a range of its own"
        seen.append((path, network))


def counts_fit(data: Data) -> Iterable[str]:
    """A node group never wants more nodes than its maximum."""
    for path, group in _items(data, "node_groups"):
        maximum = group.get("maximum")
        for role in ("active", "standby"):
            count = group.get(role)
            if isinstance(count, int) and isinstance(maximum, int) and count > maximum:
                yield f"{path}.{role}: {count}; allowed: at most {path}.maximum, which is {maximum}"


def groups_are_there(data: Data) -> Iterable[str]:
    """The controllers and Argo CD run on the group `manage`, in both roles."""
    groups = {group.get("name"): group for _, group in _items(data, "node_groups")}
    if groups and "manage" not in groups:
        yield "node_groups: there is no 'manage'; it carries Argo CD, Dagster and the controllers"
    elif groups and groups["manage"].get("standby") == 0:
        yield "node_groups: 'manage' has 0 nodes as standby; allowed: at least 1, it must watch"


def a_write_is_verified(data: Data) -> Iterable[str]:
    """Without a verified write nobody knows when a failover was over."""
    services = [service for _, service in _items(data, "services")]
    if services and not any(service.get("verify") for service in services):
        yield "services: none has `verify`; at least one must, or no RTO can be measured"


def services_fit(data: Data) -> Iterable[str]:
    """A service names a node group that exists, and a host below the domain, not the domain."""
    groups, domain = _values(data, "node_groups", "name"), data.get("domain")
    for path, service in _items(data, "services"):
        group, host = service.get("node_group"), service.get("host")
        if isinstance(group, str) and groups and group not in groups:
            yield f"{path}.node_group: {group!r}; allowed: {', '.join(groups)}"
        if isinstance(host, str) and isinstance(domain, str) and not host.endswith(f".{domain}"):
            yield f"{path}.host: {host!r}; allowed: a name below {domain}, not {domain} itself"


def databases_fit(data: Data) -> Iterable[str]:
    """A database has a count of instances for each Region, and no burstable class."""
    aliases = _values(data, "regions", "alias")
    for path, database in _items(data, "databases"):
        instances, kind = database.get("instances"), database.get("instance_class")
        if isinstance(instances, dict) and set(instances) != set(aliases):
            yield f"{path}.instances: {sorted(map(str, instances))}; allowed: one count for each of {', '.join(aliases)}"
        if isinstance(kind, str) and kind.startswith("db.t"):
            yield f"{path}.instance_class: {kind!r}; allowed: no burstable class in a global database"


def identifiers_fit(data: Data) -> Iterable[str]:
    """`<platform>-<database>-<alias>`, and what is added to it, is an identifier of RDS."""
    platform, aliases = data.get("platform"), _values(data, "regions", "alias")
    if not isinstance(platform, str):
        return
    room = IDENTIFIER - SUFFIX - len(f"{platform}--") - max(map(len, aliases), default=0)
    for path, database in _items(data, "databases"):
        name = database.get("name")
        if isinstance(name, str) and len(name) > room:
            yield f"{path}.name: {name!r}; allowed: at most {room} characters beside such a platform and aliases"


def addons_are_complete(data: Data) -> Iterable[str]:
    """Each add-on that the platform relies on has a version."""
    addons = data.get("addons")
    if isinstance(addons, dict):
        for name in ADDONS:
            if name not in addons:
                yield f"addons: {name} is missing; it is required, with a version that EKS offers"


def the_door_is_not_open(data: Data) -> Iterable[str]:
    """The public endpoint of a cluster is for networks that somebody has named."""
    access = data.get("cluster_access")
    networks = access.get("networks") if isinstance(access, dict) else None
    for i, text in enumerate(networks if isinstance(networks, list) else ()):
        network = _network(text)
        if network is None or network.prefixlen < 8:
            allowed = "an IPv4 network of /8 or smaller, host bits 0"
            yield f"cluster_access.networks[{i}]: {text!r}; allowed: {allowed}"


def nothing_of_the_ledger(data: Data) -> Iterable[str]:
    """What was rebuilt stands in the ledger."""
    if "members" in data:
        yield "members: is no setting of ours; the ledger records how DB clusters were born"


RULES: tuple[Rule, ...] = (
    names_are_unique,
    regions_exist,
    a_ledger_can_be_strong,
    aliases_are_free,
    zones_belong,
    networks_fit,
    counts_fit,
    groups_are_there,
    services_fit,
    a_write_is_verified,
    databases_fit,
    identifiers_fit,
    addons_are_complete,
    the_door_is_not_open,
    nothing_of_the_ledger,
)
