"""Stores whose records hold many pieces: tables with items, buckets with objects, metrics with points.

Each piece is a row of its own, so that a write costs one item, not the table. A record that is
registered under several keys (the replicas of a strongly consistent global table are one record) is
written once, and the other keys point to it, so that it is one record after a restore too.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from platform_pipelines.local.ministack_rows import read, write
from platform_pipelines.local.ministack_shelves import Key, Order, Row, Written
from platform_pipelines.local.ministack_watch import Watched

Record = dict[str, Any]
Pieces = dict[Any, Any]
Mark = tuple[bytes, object]  # tells one state of a piece from the next
_HOUR = 3600.0
_PIECE, _RECORD, _SAME = "1", "2", "3"  # kinds of rows, in the order in which they are loaded


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """How a record is taken apart and put together."""

    rest: Callable[[Any], Any]  # the record without its pieces
    spread: Callable[[Any], Pieces]
    join: Callable[[Any, Pieces], Any]  # the rest and the pieces
    mark: Callable[[Any], Mark]


def _without(*left_out: str) -> Callable[[Record], Record]:
    return lambda record: {name: value for name, value in record.items() if name not in left_out}


def _items(table: Record) -> Pieces:
    return {(pk, sk): item for pk, found in table["items"].items() for sk, item in found.items()}


def _table(rest: Record, pieces: Pieces) -> Record:
    items: dict[Any, dict[Any, Any]] = defaultdict(dict)
    for (pk, sk), item in pieces.items():
        items[pk][sk] = item
    return {**rest, "items": items}


def _object_mark(found: Record) -> Mark:
    return write(_without("body")(found)), found.get("body")


def _hours(points: list[Record]) -> Pieces:
    hours: Pieces = defaultdict(list)
    for point in points:
        hours[int(point["Timestamp"] // _HOUR)].append(point)
    return hours


# ministack replaces an item when it is written, so its identity tells; an object's data too, but the
# rest of an object is changed in place. Points of a metric only come, and go when they are old. The
# index of a table is made anew when it is missing.
TABLES = Collection(
    rest=_without("items", "_index_members"),
    spread=_items,
    join=_table,
    mark=lambda item: (b"", item),
)
BUCKETS = Collection(
    rest=_without("objects"),
    spread=lambda bucket: dict(bucket["objects"]),
    join=lambda rest, pieces: {**rest, "objects": dict(pieces)},
    mark=_object_mark,
)
METRICS = Collection(
    rest=lambda _points: None,
    spread=_hours,
    join=lambda _rest, pieces: [point for hour in sorted(pieces) for point in pieces[hour]],
    mark=lambda points: (b"%d" % len(points), points[-1]),
)


class Collections:
    """The shelf of such a store."""

    def __init__(self, name: str, store: Any, collection: Collection) -> None:
        self.name = name
        self.data = Watched(dict(store._data), listed=True)
        store._data = self.data
        self._collection = collection
        self._written = Written()
        self._order = Order()
        self._marks: dict[Key, dict[Any, Mark]] = {}
        self._points: dict[Key, Key] = {}  # keys that share the record of another

    def touch(self) -> None:
        self.data.touch()

    def changed(self) -> Iterator[Row]:
        if not self.data.touched:
            return
        owners: dict[int, Key] = {}
        for key, record in dict(self.data).items():
            owners.setdefault(id(record), key)
        for key in self._order.sort(self._to_check(owners), self.data):
            yield from self._rows(key, owners)

    def _to_check(self, owners: dict[int, Key]) -> set[Key]:
        """The keys that were handed out, those that share their records, and those that did."""
        touched = self.data.take()
        records = dict(self.data)
        shared = {owners[id(records[key])] for key in touched if key in records}
        orphans = {key for key, owner in self._points.items() if owner in touched}
        return touched | shared | orphans

    def _rows(self, key: Key, owners: dict[int, Key]) -> Iterator[Row]:
        record = dict(self.data).get(key)
        if record is None:
            yield from self._gone(key)
            return
        number = self._order.of(key)
        owner = owners[id(record)]
        if owner == key:
            self._points.pop(key, None)
            yield from self._head(key, write((_RECORD, key, number, self._collection.rest(record))))
            yield from self._pieces(key, self._collection.spread(record))
        else:
            self._points[key] = owner
            yield from self._head(key, write((_SAME, key, number, owner)))
            yield from self._pieces(key, {})

    def _gone(self, key: Key) -> Iterator[Row]:
        self._order.drop(key)
        self._points.pop(key, None)
        if self._written.drop(repr(key)):
            yield repr(key), None
        yield from self._pieces(key, {})
        self._marks.pop(key, None)

    def _head(self, key: Key, row: bytes) -> Iterator[Row]:
        if self._written.note(repr(key), row):
            yield repr(key), row

    def _pieces(self, key: Key, pieces: Pieces) -> Iterator[Row]:
        known = self._marks.get(key, {})
        marks = {sub: self._collection.mark(piece) for sub, piece in pieces.items()}
        for sub, mark in marks.items():
            if sub not in known or not _same(known[sub], mark):
                yield repr((key, sub)), write((_PIECE, key, sub, pieces[sub]))
        for sub in known.keys() - marks.keys():
            yield repr((key, sub)), None
        self._marks[key] = marks

    def load(self, rows: dict[str, bytes]) -> None:
        self._points, self._marks = {}, {}
        read_rows = sorted(map(read, rows.values()), key=lambda row: str(row[0]))
        pieces: dict[Key, Pieces] = defaultdict(dict)
        numbers: dict[Key, int] = {}
        records: dict[Key, Any] = {}
        for kind, key, about, value in read_rows:  # pieces, then records, then what points to them
            if kind == _PIECE:
                pieces[key][about] = value
                continue
            numbers[key] = about
            if kind == _RECORD:
                records[key] = self._whole(key, value, pieces[key])
            else:
                self._points[key] = value
                records[key] = records[value]
        self._order.load(numbers)
        heads = {repr(key) for key in records}
        self._written.load({name: row for name, row in rows.items() if name in heads})
        self.data.refill({key: records[key] for key in sorted(records, key=numbers.__getitem__)})

    def _whole(self, key: Key, rest: Any, pieces: Pieces) -> Any:
        self._marks[key] = {sub: self._collection.mark(piece) for sub, piece in pieces.items()}
        return self._collection.join(rest, pieces)


def _same(one: Mark, other: Mark) -> bool:
    return one[0] == other[0] and one[1] is other[1]
