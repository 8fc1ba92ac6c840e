"""Where RDS's records are: ministack's stores, in a form of our own.

A record has the members that AWS answers, and notes of ours that begin with `_`; times are Unix
seconds. As the stores are ministack's, its own operations see the same world, and what keeps its
state keeps ours. Used by every module of RDS, in any account and Region.
"""

import re
from collections.abc import Iterator
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws.service import Call, Fault, not_implemented
from platform_pipelines.local.world import World

Record = dict[str, Any]

LOOK = 5.0  # AWS-like seconds between two looks at something that stands still
_NAME = re.compile(r"[a-z](?:-?[a-z0-9])*")


class Shelf:
    """One of ministack's stores of RDS, by account, Region and name."""

    def __init__(self, store: str) -> None:
        self._store = store

    @property
    def _data(self) -> dict[Any, Record]:
        data: dict[Any, Record] = ministack.service("rds").__dict__[self._store]._data
        return data

    def get(self, account: str, region: str, name: str) -> Record | None:
        """A record, if there is one."""
        return self._data.get((account, region, name))

    def put(self, account: str, region: str, name: str, record: Record) -> None:
        """Keep a record under a name."""
        self._data[account, region, name] = record

    def drop(self, account: str, region: str, name: str) -> None:
        """Forget a record."""
        self._data.pop((account, region, name), None)

    def of(self, account: str, region: str) -> list[Record]:
        """Every record of a Region, by name."""
        mine = [key for key in self._data if key[:2] == (account, region)]
        return [self._data[key] for key in sorted(mine)]

    def everywhere(self) -> Iterator[tuple[str, str, Record]]:
        """Every record with its account and Region."""
        for (account, region, _), record in list(self._data.items()):
            yield account, region, record


class GlobalShelf:
    """ministack's store of global clusters, which belong to no Region."""

    @property
    def _data(self) -> dict[Any, Record]:
        data: dict[Any, Record] = ministack.service("rds")._global_clusters._data
        return data

    def get(self, account: str, name: str) -> Record | None:
        """A record, if there is one."""
        return self._data.get((account, name))

    def put(self, account: str, name: str, record: Record) -> None:
        """Keep a record under a name."""
        self._data[account, name] = record

    def drop(self, account: str, name: str) -> None:
        """Forget a record."""
        self._data.pop((account, name), None)

    def of(self, account: str) -> list[Record]:
        """Every record of an account, by name."""
        mine = [key for key in self._data if key[0] == account]
        return [self._data[key] for key in sorted(mine)]

    def everywhere(self) -> list[Record]:
        """Every record of every account."""
        return list(self._data.values())


CLUSTERS = Shelf("_clusters")
INSTANCES = Shelf("_instances")
SNAPSHOTS = Shelf("_db_cluster_snapshots")
DB_SNAPSHOTS = Shelf("_snapshots")  # of instances in no cluster
EVENTS = Shelf("_events")
GLOBALS = GlobalShelf()


def region_of(arn: str) -> str:
    """The Region (AWS name) in an ARN."""
    return arn.split(":")[3]


def name_of(identifier: str) -> str:
    """The name of a resource given by its name or ARN, as RDS keeps it: in lower case."""
    return identifier.rpartition(":")[2].lower()


def cluster_by_arn(arn: str) -> Record | None:
    """A DB cluster of any account and Region."""
    parts = arn.split(":")
    return CLUSTERS.get(parts[4], parts[3], parts[-1]) if len(parts) == 7 else None


def find_cluster(call: Call, identifier: str) -> Record:
    """A DB cluster of the call's Region, by name or ARN. Raises: Fault."""
    found = CLUSTERS.get(call.account, call.region, name_of(identifier))
    if found is None or (identifier.startswith("arn:") and identifier != found["DBClusterArn"]):
        raise Fault("DBClusterNotFoundFault", f"DBCluster {identifier} not found.")
    return found


def find_instance(call: Call, identifier: str) -> Record:
    """A DB instance of the call's Region, by name or ARN. Raises: Fault."""
    found = INSTANCES.get(call.account, call.region, name_of(identifier))
    if found is None or (identifier.startswith("arn:") and identifier != found["DBInstanceArn"]):
        raise Fault("DBInstanceNotFound", f"DBInstance {identifier} not found.")
    return found


def instances_of(cluster: Record) -> list[Record]:
    """A cluster's instances, the oldest first."""
    parts = cluster["DBClusterArn"].split(":")
    found = [
        one
        for one in INSTANCES.of(parts[4], parts[3])
        if one.get("DBClusterIdentifier") == cluster["DBClusterIdentifier"]
    ]
    return sorted(found, key=lambda one: one["InstanceCreateTime"])


def tags_of(account: str, arn: str) -> list[dict[str, str]]:
    """The tags of a resource."""
    tags: dict[Any, list[dict[str, str]]] = ministack.service("rds")._tags._data
    return tags.get((account, arn), [])


def set_tags(account: str, arn: str, tags: list[dict[str, str]]) -> None:
    """Give a resource these tags and no others."""
    stored = ministack.service("rds")._tags._data
    if tags:
        stored[account, arn] = tags
    else:
        stored.pop((account, arn), None)


def check_name(parameter: str, name: str) -> str:
    """A new resource's name in lower case. Raises: Fault."""
    if len(name) > 63 or not _NAME.fullmatch(name.lower()):
        message = (
            f"The parameter {parameter} is not a valid identifier. Identifiers must begin with a "
            "letter; must contain only ASCII letters, digits, and hyphens; and must not end with a "
            "hyphen or contain two consecutive hyphens."
        )
        raise Fault("InvalidParameterValue", message)
    return name.lower()


def refuse_others(call: Call, known: frozenset[str]) -> None:
    """Refuse parameters that would change nothing here. Raises: Fault."""
    others = sorted(call.params.keys() - known)
    if others:
        raise not_implemented(f"rds {call.operation} with {', '.join(others)}")


def dark(world: World, region: str) -> bool:
    """Whether the databases of this Region (an AWS name) stand still."""
    known = world.region_of(region)
    return known is not None and world.dark(known)


def zone_down(world: World, region: str, zone: str) -> bool:
    """Whether this zone of a Region (an AWS name) is lost."""
    known = world.region_of(region)
    return known is not None and world.zone_down(known, zone)
