"""What SNS was told to send, and what became of it: the mailboxes of the local Regions.

Nothing leaves this machine. A message to an address elsewhere, as an e-mail, is kept here, where
`/_local/notifications` and the page show it, with the token that confirms a subscription.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

KEPT_NOTIFICATIONS = 1000


class Fate(StrEnum):
    """What became of a message to one subscriber."""

    WAITING = "waiting"  # to be delivered, perhaps again
    DELIVERED = "delivered"
    FAILED = "failed"  # after the last try
    KEPT = "kept"  # only here: its address is not on this machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message on its way to one subscriber."""

    subscription: str  # ARN
    protocol: str
    endpoint: str
    body: str  # as the subscriber reads it
    raw: bool = False
    fate: Fate
    tries: int = 0
    reason: str = ""  # why it failed, or was kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One message of a topic."""

    n: int
    time: str  # AWS-like, ISO UTC
    region: str  # AWS name
    topic: str  # ARN
    type: str  # Notification or SubscriptionConfirmation
    message_id: str
    subject: str
    message: str
    deliveries: tuple[Delivery, ...] = ()


class Notifications:
    """The newest messages of one world. Used from the event loop's thread only."""

    def __init__(self) -> None:
        self._last = 0
        self._kept: dict[int, Notification] = {}

    def __iter__(self) -> Iterator[Notification]:
        return iter(list(self._kept.values()))

    def after(self, number: int) -> list[dict[str, Any]]:
        """The messages after the one of this number, as JSON values."""
        return [asdict(one) for one in self if one.n > number]

    def get(self, number: int) -> Notification | None:
        """The message of this number, while it is kept."""
        return self._kept.get(number)

    def add(self, **fields: Any) -> Notification:
        """Keep a new message."""
        self._last += 1
        self._kept[self._last] = Notification(n=self._last, **fields)
        while len(self._kept) > KEPT_NOTIFICATIONS:
            del self._kept[next(iter(self._kept))]
        return self._kept[self._last]

    def tell(self, number: int, subscription: str, **changes: Any) -> None:
        """Change what is known of a delivery."""
        known = self._kept.get(number)
        if known is not None:
            deliveries = tuple(
                replace(one, **changes) if one.subscription == subscription else one
                for one in known.deliveries
            )
            self._kept[number] = replace(known, deliveries=deliveries)

    def dump(self) -> dict[str, Any]:
        """All of it as JSON values."""
        return {"last": self._last, "kept": [asdict(one) for one in self]}

    def load(self, state: dict[str, Any]) -> None:
        """Go on with what `dump` gave."""
        self._last = state["last"]
        self._kept = {row["n"]: _notification(row) for row in state["kept"]}


def _notification(row: dict[str, Any]) -> Notification:
    deliveries = (Delivery(**{**one, "fate": Fate(one["fate"])}) for one in row["deliveries"])
    return Notification(**{**row, "deliveries": tuple(deliveries)})
