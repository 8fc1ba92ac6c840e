"""Records of the services that ministack does not have: by account and Region, as JSON values.

Each of these services is a `Keeping`: what it has made is on disk with the world, and a restart
goes on with it.
"""

from typing import Any

from platform_pipelines.local.aws.answers import Record
from platform_pipelines.local.aws.service import Call, Service


class Keeping(Service):
    """A service whose only state is its records."""

    _places: dict[str, dict[str, Record]]

    def start(self) -> None:
        self._places = {}

    def dump(self) -> Any:
        return {place: records for place, records in self._places.items() if records}

    def load(self, state: Any) -> None:
        self._places = {place: dict(records) for place, records in state.items()}

    def records(self, call: Call) -> dict[str, Record]:
        """The records of the call's account and Region, by what names them."""
        return self.records_in(call.account, call.region)

    def records_in(self, *place: str) -> dict[str, Record]:
        """The records of an account and a Region, or, for what knows no Regions, of an account."""
        return self._places.setdefault("/".join(place), {})
