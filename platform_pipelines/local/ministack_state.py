"""ministack's state as a part of the world's file (`vault`), written as it changes.

ministack keeps what it knows in dictionaries of its modules and writes them on a proper shutdown
only. Here each of these stores is a shelf of rows, which says at every commit what changed since the
last, so that a killed server loses nothing, and a snapshot can be gone back to while it runs.
"""

from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.ministack_collections import (
    BUCKETS,
    METRICS,
    TABLES,
    Collections,
)
from platform_pipelines.local.ministack_shelves import Records, Shelf, Variable

# Stores that our own operations list but never change through a listing: they may be huge.
_ONLY_BY_KEY = frozenset(
    {"ecr._images", "ecr._layer_blobs", "ecr._manifest_blobs", "ecr._repositories"}
)
_COLLECTIONS = {
    "cloudwatch._metrics": METRICS,
    "dynamodb._tables": TABLES,
    "s3._buckets": BUCKETS,
}
# What operations change besides the stores.
_VARIABLES = (
    ("dynamodb", "_stream_seq_counter"),
    ("ec2", "_default_initialized_scopes"),
    ("eks", "_port_counter"),
    ("rds", "_port_counter"),
    ("sts", "_sessions"),
)


class MinistackState:
    """Every store of the ministack services that the local Regions use. One at a time per process,
    as the stores are the modules' own."""

    def __init__(self) -> None:
        self._shelves: dict[str, Shelf] = {one.name: one for one in _shelves()}

    def changed(self) -> Iterator[tuple[str, bytes | None]]:
        """The rows that changed since it was asked last; None for one that is gone."""
        for name, shelf in self._shelves.items():
            for key, row in shelf.changed():
                yield f"{name} {key}", row

    def restore(self, rows: Mapping[str, bytes]) -> None:
        """Forget everything, and go on with these rows."""
        found: dict[str, dict[str, bytes]] = {name: {} for name in self._shelves}
        for key, row in rows.items():
            name, _, own = key.partition(" ")
            found[name][own] = row
        for name, shelf in self._shelves.items():
            shelf.load(found[name])

    def touch(self, service: str) -> None:
        """Have all records of a service compared at the next commit: for whoever changes a record
        that it got from the store at an earlier call."""
        for name, shelf in self._shelves.items():
            if name.startswith(f"{service}."):
                shelf.touch()


def _shelves() -> Iterator[Shelf]:
    known: set[int] = set()
    for service in ministack.SERVICES:
        module = ministack.service(service)
        for variable, store in _stores(module):
            if id(store) not in known:  # a module may import another's
                known.add(id(store))
                yield _shelf(f"{service}.{variable}", store)
    for service, variable in _VARIABLES:
        yield Variable(f"{service}.{variable}", ministack.service(service), variable)


def _stores(module: ModuleType) -> list[tuple[str, Any]]:
    from ministack.core.responses import AccountRegionScopedDict, AccountScopedDict

    kinds = (AccountRegionScopedDict, AccountScopedDict)
    return [(name, value) for name, value in vars(module).items() if isinstance(value, kinds)]


def _shelf(name: str, store: Any) -> Shelf:
    if collection := _COLLECTIONS.get(name):
        return Collections(name, store, collection)
    return Records(name, store, listed=name not in _ONLY_BY_KEY)
