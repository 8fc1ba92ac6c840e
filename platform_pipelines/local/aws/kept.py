"""Records of the services that ministack does not have: by account and Region, as JSON values.

Each of these services is a `Keeping`: what it has made is on disk with the world, and a restart
goes on with it.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from platform_pipelines.local.aws.paging import BadToken, page
from platform_pipelines.local.aws.service import Call, Fault, Result, Service

Record = dict[str, Any]


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
        return self._in(f"{call.account}/{call.region}")

    def _in(self, place: str) -> dict[str, Record]:
        return self._places.setdefault(place, {})


def when(seconds: float) -> datetime:
    """A time of the world, as answers have it."""
    return datetime.fromtimestamp(seconds, UTC)


def taken(values: Mapping[str, Any], *names: str) -> Record:
    """Those of the names that there are."""
    return {name: values[name] for name in names if name in values}


def paged(
    key: str, rows: Sequence[Any], call: Call, *, names: tuple[str, str], code: str, limit: int
) -> Result:
    """A page of an answer; `names` are the parameters of the token and of the page's length.
    Raises: Fault, for a token that is not ours."""
    token, length = names
    try:
        shown, after = page(rows, call.params.get(token), call.params.get(length) or limit)
    except BadToken:
        raise Fault(code, f"The {token} is not valid.") from None
    return {key: shown} | ({token: after} if after else {})
