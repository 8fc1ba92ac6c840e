"""Breakpoints on changing calls: stop before or after applying the n-th, so that a test can kill the
caller exactly there.

A call that is held is not answered until the breakpoint is taken away; if its caller is gone by
then, it never is. `before`: nothing was changed; `after`: everything was, only the answer is missing.
"""

import asyncio
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from platform_pipelines.local.calls import Asked


class When(StrEnum):
    """Where a call is held."""

    BEFORE = "before"
    AFTER = "after"


class Wanted(BaseModel):
    """A breakpoint as it is asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n: int = Field(1, ge=1, description="which of the matching changing calls, from 1")
    when: When = When.BEFORE
    service: str = Field("*", description="as boto3 names it; `kubernetes` and `http` too")
    operation: str = "*"
    region: str = Field(
        "*", description="AWS name, or `global`; the control API takes an alias, too"
    )


@dataclass
class Breakpoint:
    """One breakpoint, and how far it has come."""

    id: str
    wanted: Wanted
    seen: int = 0
    operation: str | None = None  # of the call that it holds, or held
    hit: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def when(self) -> When:
        """Where it holds a call."""
        return self.wanted.when

    def meets(self, asked: Asked) -> bool:
        """Count a changing call; whether it is the one to hold."""
        wanted = self.wanted
        pairs = (
            (wanted.service, asked.service),
            (wanted.operation, asked.operation),
            (wanted.region, asked.region),
        )
        if not asked.changing or any(one not in ("*", other) for one, other in pairs):
            return False
        self.seen += 1
        return self.seen == wanted.n

    def view(self) -> dict[str, Any]:
        """As the control API shows it."""
        about = {"id": self.id, "seen": self.seen, "hit": self.hit.is_set()}
        return {**about, "held": self.operation, **self.wanted.model_dump(mode="json")}


class Breakpoints:
    """The breakpoints of one world. Used on the event loop's thread; a restart forgets them."""

    def __init__(self) -> None:
        self._all: dict[str, Breakpoint] = {}

    def add(self, body: Any) -> Breakpoint:
        """Set one. Raises: pydantic.ValidationError."""
        made = Breakpoint(id=uuid.uuid4().hex[:8], wanted=Wanted.model_validate(body))
        self._all[made.id] = made
        return made

    def get(self, id_: str) -> Breakpoint | None:
        """The one of this id."""
        return self._all.get(id_)

    def remove(self, id_: str) -> bool:
        """Let its call go on and forget it; False if there is none."""
        found = self._all.pop(id_, None)
        if found is not None:
            found.released.set()
        return found is not None

    def __iter__(self) -> Iterator[Breakpoint]:
        return iter(list(self._all.values()))

    def meet(self, asked: Asked) -> tuple[Breakpoint, ...]:
        """Count a call at every breakpoint; those that have to hold it."""
        return tuple([one for one in self if one.meets(asked)])
