"""ministack's stores as rows, one per record.

`ministack_collections` has the shelf for records that hold many pieces; `ministack_state` puts all
shelves together.
"""

from collections.abc import Iterator
from types import ModuleType
from typing import Any, Protocol

from platform_pipelines.local.ministack_rows import read, write
from platform_pipelines.local.ministack_watch import Watched

Row = tuple[str, bytes | None]
Key = Any  # (account, name) or (account, Region, name)


class Shelf(Protocol):
    """Some state of ministack, as rows."""

    name: str

    def changed(self) -> Iterator[Row]:
        """The rows that changed since it was asked last; their keys are the shelf's own."""

    def load(self, rows: dict[str, bytes]) -> None:
        """Hold what these rows say and nothing else."""

    def touch(self) -> None:
        """Count everything as possibly changed."""


class Written:
    """What is on disk, as far as it takes to tell whether a row differs."""

    def __init__(self) -> None:
        self._hashes: dict[str, int] = {}

    def note(self, key: str, row: bytes) -> bool:
        """Whether the row differs from what is on disk, where it then is."""
        found = hash(row)
        known = self._hashes.get(key)
        self._hashes[key] = found
        return known != found

    def drop(self, key: str) -> bool:
        """Whether there was a row, which then is gone."""
        return self._hashes.pop(key, None) is not None

    def load(self, rows: dict[str, bytes]) -> None:
        """Take these rows as what is on disk."""
        self._hashes = {key: hash(row) for key, row in rows.items()}


class Order:
    """The order in which records came, as the stores' listings have it."""

    def __init__(self) -> None:
        self._numbers: dict[Key, int] = {}
        self._last = 0

    def of(self, key: Key) -> int:
        """The number of a record; a new one is the last."""
        if key not in self._numbers:
            self._last += 1
            self._numbers[key] = self._last
        return self._numbers[key]

    def drop(self, key: Key) -> None:
        """Forget a record that is gone."""
        self._numbers.pop(key, None)

    def sort(self, keys: set[Key], records: Watched) -> list[Key]:
        """These keys: those that were here before, then the new ones as they came."""
        fresh = [key for key in keys if key not in self._numbers]
        if len(fresh) > 1:
            new = set(fresh)
            fresh = [*(new - records.keys()), *(key for key in list(records) if key in new)]
        return [*(key for key in keys if key in self._numbers), *fresh]

    def load(self, numbers: dict[Key, int]) -> None:
        """Go on with these numbers."""
        self._numbers = numbers
        self._last = max(numbers.values(), default=0)


class Records:
    """A store whose records are small: a row each, in the order in which they came."""

    def __init__(self, name: str, store: Any, *, listed: bool = True) -> None:
        """`store` is one of ministack's scoped dicts; `listed` as `Watched` has it."""
        self.name = name
        self.data = Watched(dict(store._data), listed=listed)
        store._data = self.data
        self._written = Written()
        self._order = Order()

    def touch(self) -> None:
        self.data.touch()

    def changed(self) -> Iterator[Row]:
        if self.data.touched:
            for key in self._order.sort(self.data.take(), self.data):
                yield from self._row(key)

    def load(self, rows: dict[str, bytes]) -> None:
        loaded = sorted((read(row) for row in rows.values()), key=lambda one: int(one[0]))
        self._order.load({key: number for number, key, _ in loaded})
        self._written.load(rows)
        self.data.refill({key: value for _, key, value in loaded})

    def _row(self, key: Key) -> Iterator[Row]:
        name = repr(key)
        if key not in self.data:
            self._order.drop(key)
            if self._written.drop(name):
                yield name, None
            return
        row = write((self._order.of(key), key, dict.__getitem__(self.data, key)))
        if self._written.note(name, row):
            yield name, row


class Variable:
    """A module's variable that is no store: a counter, or a set that operations fill."""

    def __init__(self, name: str, module: ModuleType, variable: str) -> None:
        self.name = name
        self._module = module
        self._variable = variable
        held = getattr(module, variable)
        self._initial = write(type(held)() if isinstance(held, set | dict) else held)
        self._written = Written()

    def touch(self) -> None:
        """It is compared each time."""

    def changed(self) -> Iterator[Row]:
        row = write(getattr(self._module, self._variable))
        if self._written.note("", row):
            yield "", row

    def load(self, rows: dict[str, bytes]) -> None:
        self._written.load(rows)
        value = read(rows.get("", self._initial))
        held = getattr(self._module, self._variable)
        if isinstance(held, list):
            held[:] = value
        elif isinstance(held, set | dict):
            held.clear()
            held.update(value)
        else:
            setattr(self._module, self._variable, value)
