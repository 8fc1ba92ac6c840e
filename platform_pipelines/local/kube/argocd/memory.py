"""What one Argo CD remembers between two looks, kept with the world.

Everything else it knows stands in the Applications. A render is kept, too: after a restart a look
compares with what was rendered last, not with what the folder holds by then.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic_core import from_json, to_json

from platform_pipelines.local.kube.argocd.checkout import Rendered

Object = dict[str, Any]
Name = tuple[str, str]  # namespace and name of an Application

WANTED = "wanted"  # the row; the others have an Application's name


class Memory:
    """A part of the vault: which Applications are to be refreshed, and how they were last time."""

    def __init__(self, restored: Callable[[], None] = lambda: None) -> None:
        """`restored` is called when the world was put back."""
        self.wanted: dict[Name, int] = {}  # the requests' numbers, the first one first
        self._number = 0
        self._rendered: dict[Name, Rendered] = {}
        self._specs: dict[Name, Object] = {}
        self._written: list[Name] = []  # what was wanted when it was kept last
        self._touched: set[Name] = set()
        self._restored = restored

    def want(self, name: Name) -> None:
        """An Application is to be refreshed."""
        self._number += 1
        self.wanted[name] = self._number

    def done(self, name: Name, number: int) -> None:
        """It was refreshed, unless that was asked for again meanwhile."""
        if self.wanted.get(name) == number:
            del self.wanted[name]

    def rendered(self, name: Name) -> Rendered | None:
        """The last render of an Application; None if there was none, or if it failed."""
        return self._rendered.get(name)

    def spec(self, name: Name) -> Object | None:
        """The spec with which an Application was refreshed last."""
        return self._specs.get(name)

    def begin(self, name: Name, spec: Object) -> None:
        """A refresh with this spec begins."""
        self._specs[name] = spec
        self._touched.add(name)

    def keep(self, name: Name, rendered: Rendered) -> None:
        """This is what its looks compare with from now on."""
        self._rendered[name] = rendered
        self._touched.add(name)

    def forget(self, name: Name) -> None:
        """The Application is gone."""
        self._rendered.pop(name, None)
        self._specs.pop(name, None)
        self._touched.add(name)

    def changed(self) -> Iterable[tuple[str, bytes | None]]:
        """The rows that changed since the last time."""
        if list(self.wanted) != self._written:
            self._written = list(self.wanted)
            yield WANTED, to_json(self._written)
        touched, self._touched = self._touched, set()
        for name in touched:
            known = name in self._specs
            yield "/".join(name), to_json(self._row(name)) if known else None

    def restore(self, rows: Mapping[str, bytes]) -> None:
        """Remember what the rows say, and nothing else."""
        for known in (self.wanted, self._rendered, self._specs, self._touched):
            known.clear()
        self._written = [(space, name) for space, name in from_json(rows.get(WANTED, b"[]"))]
        for wanted in self._written:
            self.want(wanted)
        for row, value in rows.items():
            if row != WANTED:
                space, _, name = row.partition("/")
                self._load((space, name), from_json(value))
        self._restored()

    def _row(self, name: Name) -> Object:
        found = self._rendered.get(name)
        told = {"revision": found.revision, "objects": found.objects} if found else None
        return {"spec": self._specs[name], "rendered": told}

    def _load(self, name: Name, row: Object) -> None:
        self._specs[name] = row["spec"]
        if found := row["rendered"]:
            objects = tuple(found["objects"])
            self._rendered[name] = Rendered(revision=found["revision"], objects=objects)
