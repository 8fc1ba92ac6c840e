"""Records of a service that ministack lacks: by account, Region and id, kept with the world.

A record holds JSON values: the members that AWS answers, and notes of ours that begin with `_`. A
service that keeps some of these gives `dump()` and `load()` on to them.
"""

from collections.abc import Iterator
from typing import Any

from platform_pipelines.local.aws.service import Call

Record = dict[str, Any]


class RegionalRecords:
    """All records of one kind."""

    def __init__(self) -> None:
        self._data: dict[tuple[str, str, str], Record] = {}

    def get(self, account: str, region: str, id_: str) -> Record | None:
        """A record, if there is one."""
        return self._data.get((account, region, id_))

    def find(self, call: Call, id_: str) -> Record | None:
        """A record of the call's account and Region, if there is one."""
        return self.get(call.account, call.region, id_)

    def put(self, account: str, region: str, id_: str, record: Record) -> None:
        """Keep a record."""
        self._data[account, region, id_] = record

    def drop(self, account: str, region: str, id_: str) -> None:
        """Forget a record, if there is one."""
        self._data.pop((account, region, id_), None)

    def of(self, call: Call) -> list[Record]:
        """Every record of the call's account and Region, in the order in which they came."""
        place = (call.account, call.region)
        return [record for key, record in self._data.items() if key[:2] == place]

    def everywhere(self) -> Iterator[tuple[str, str, Record]]:
        """Every record with its account and Region."""
        for (account, region, _), record in list(self._data.items()):
            yield account, region, record

    def dump(self) -> list[Any]:
        """As JSON values."""
        return [[*key, record] for key, record in self._data.items()]

    def load(self, rows: list[Any]) -> None:
        """Go on with what `dump` gave, in place of what is there."""
        self._data = {(account, region, id_): dict(record) for account, region, id_, record in rows}


def shown(record: Record) -> Record:
    """A record as AWS answers it: without our notes, and without what is not set."""
    return {
        key: value for key, value in record.items() if not key.startswith("_") and value is not None
    }
