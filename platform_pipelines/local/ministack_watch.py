"""Which of ministack's records may have changed: those that somebody held in hand.

ministack's operations, and ours, get a record from a store and change it in place, so a store cannot
tell what changed, but it can tell which records were handed out. Only these are compared with what is
on disk, so a commit costs as much as the call touched, not as much as the world holds.
"""

from collections.abc import ItemsView, ValuesView
from typing import Any


class Watched(dict[Any, Any]):
    """The records of a store, and the keys of those that were handed out since `take`."""

    __slots__ = ("_listed", "_seen")

    def __init__(self, records: dict[Any, Any], *, listed: bool) -> None:
        """`listed`: whether a listing of the store counts as handing out all of its records."""
        super().__init__(records)
        self._seen: set[Any] = set(records)
        self._listed = listed

    @property
    def touched(self) -> bool:
        """Whether a record was handed out."""
        return bool(self._seen)

    def take(self) -> set[Any]:
        """The keys that were handed out, set or removed since this was asked last."""
        seen, self._seen = self._seen, set()
        return seen

    def touch(self) -> None:
        """Count all records as handed out."""
        self._seen.update(self)

    def refill(self, records: dict[Any, Any]) -> None:
        """Hold these records and no others, all of them as they are on disk."""
        super().clear()
        super().update(records)
        self._seen = set()

    def __getitem__(self, key: Any) -> Any:
        self._seen.add(key)
        return super().__getitem__(key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._seen.add(key)
        super().__setitem__(key, value)

    def __delitem__(self, key: Any) -> None:
        self._seen.add(key)
        super().__delitem__(key)

    def get(self, key: Any, default: Any = None) -> Any:
        self._seen.add(key)
        return super().get(key, default)

    def pop(self, key: Any, *default: Any) -> Any:
        self._seen.add(key)
        return super().pop(key, *default)

    def popitem(self) -> tuple[Any, Any]:
        key, value = super().popitem()
        self._seen.add(key)
        return key, value

    def setdefault(self, key: Any, default: Any = None) -> Any:
        self._seen.add(key)
        return super().setdefault(key, default)

    def update(self, *records: Any, **named: Any) -> None:
        super().update(*records, **named)
        self.touch()

    def clear(self) -> None:
        self.touch()
        super().clear()

    def values(self) -> ValuesView[Any]:  # type: ignore[override]  # the stub's view is private
        if self._listed:
            self.touch()
        return super().values()

    def items(self) -> ItemsView[Any, Any]:  # type: ignore[override]  # the stub's view is private
        if self._listed:
            self.touch()
        return super().items()
