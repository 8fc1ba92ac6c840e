"""What goes wrong on purpose in the local Regions, besides outages: one book of faults.

A fault is what a rehearsal posted to `/_local/faults`, checked once and then asked by whoever it
concerns: the ports (errors, latency), the transitions, the node groups, the kubelets, Argo CD and
the lag metrics. `docs/local-regions.md` has an example of each kind.
"""

import random
import uuid
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator

from platform_pipelines.local.durations import Durations

THROTTLED = ("ThrottlingException", "Rate exceeded", 400)


class Ending(StrEnum):
    """How a transition ends."""

    NORMAL = "normal"
    NEVER = "never"
    FAILED = "failed"


class _Fault(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    region: str = Field("*", description="alias or AWS name of a Region; `*` is any")


class CallError(_Fault):
    """Calls are answered with an error."""

    kind: Literal["error"]
    service: str = Field("*", description="as boto3 names it; `kubernetes` and `http` too")
    operation: str = Field("*", description="as AWS names it")
    code: str = THROTTLED[0]
    message: str = THROTTLED[1]
    status: int = Field(THROTTLED[2], ge=400, le=599)
    rate: float = Field(1.0, gt=0, le=1, description="the part of the calls that it meets")
    times: int | None = Field(None, ge=1, description="how many calls it meets; then it is gone")


class CallLatency(_Fault):
    """Calls are answered late."""

    kind: Literal["latency"]
    service: str = "*"
    operation: str = "*"
    seconds: float = Field(gt=0, description="real seconds, as a client's timeouts are")
    rate: float = Field(1.0, gt=0, le=1)


class TransitionFault(_Fault):
    """A transition never ends, or fails."""

    kind: Literal["transition"]
    transition: str = Field(description="a duration's name, as efs_replication_deleting")
    resource: str = Field("*", description="the resource's id")
    ending: Literal[Ending.NEVER, Ending.FAILED]

    @field_validator("transition")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in Durations.model_fields:
            raise ValueError(
                f"no transition {name!r}; there are: {', '.join(Durations.model_fields)}"
            )
        return name


class CapacityFault(_Fault):
    """EC2 has no instances for a node group."""

    kind: Literal["capacity"]
    node_group: str = "*"
    zone: str = "*"
    instance_type: str = "*"
    code: str = Field("AsgInstanceLaunchFailures", description="a code of EKS's health issues")
    message: str = (
        "Could not launch On-Demand Instances. InsufficientInstanceCapacity - We currently do not "
        "have sufficient capacity in the Availability Zone you requested."
    )


class ImagePullFault(_Fault):
    """Images cannot be pulled."""

    kind: Literal["image_pull"]
    image: str = Field("*", description="a part of the image's name; `*` is any")
    message: str = "failed to pull and unpack image: unexpected status code 500"


class ArgoCdFault(_Fault):
    """Argo CD's application controller hangs: what it said last stays as it is."""

    kind: Literal["argocd"]


class LagFault(_Fault):
    """Replication falls behind, more and more."""

    kind: Literal["lag"]
    of: Literal["efs", "aurora"]
    resource: str = "*"
    rate: float = Field(1.0, gt=0, description="seconds of lag that each second adds")


Fault = Annotated[
    CallError
    | CallLatency
    | TransitionFault
    | CapacityFault
    | ImagePullFault
    | ArgoCdFault
    | LagFault,
    Field(discriminator="kind"),
]
T = TypeVar("T", bound=_Fault)
_ADAPTER: TypeAdapter[Fault] = TypeAdapter(Fault)


class Entry(BaseModel):
    """A fault in the book."""

    model_config = ConfigDict(frozen=True)

    id: str
    since: float  # AWS-like Unix seconds
    met: int = 0  # calls that it met
    fault: Fault


class Faults:
    """The book of one world. Used on the event loop's thread."""

    SEED: ClassVar[int] = 1  # a rate meets the same calls in each run

    def __init__(
        self,
        now: Callable[[], float],
        same: Callable[[str, str], bool],
        changed: Callable[[], None],
    ) -> None:
        """`same(region, name)`: whether a fault's Region is the one that is asked for."""
        self._now = now
        self._same = same
        self._changed = changed
        self._entries: dict[str, Entry] = {}
        self._random = random.Random(self.SEED)

    def add(self, body: Any) -> Entry:
        """Take a fault into the book. Raises: pydantic.ValidationError."""
        entry = Entry(
            id=uuid.uuid4().hex[:8], since=self._now(), fault=_ADAPTER.validate_python(body)
        )
        self._entries[entry.id] = entry
        self._changed()
        return entry

    def remove(self, id_: str) -> bool:
        """Strike one out; False if there is none."""
        found = self._entries.pop(id_, None)
        self._changed()
        return found is not None

    def clear(self) -> None:
        """Strike all out."""
        self._entries.clear()
        self._random = random.Random(self.SEED)
        self._changed()

    def __iter__(self) -> Iterator[Entry]:
        return iter(list(self._entries.values()))

    def error(self, service: str, operation: str, region: str) -> CallError | None:
        """The error that a call gets, if any; a one-shot fault is spent by it."""
        for entry in self:
            fault = entry.fault
            if isinstance(fault, CallError) and self._meets(fault, service, operation, region):
                self._spend(entry, fault)
                return fault
        return None

    def latency(self, service: str, operation: str, region: str) -> float:
        """Real seconds that a call has to wait for its answer."""
        return sum(
            fault.seconds
            for fault in self._of(CallLatency, region)
            if self._meets(fault, service, operation, region)
        )

    def transition(self, name: str, region: str, resource: str) -> Ending:
        """How a transition that is due ends."""
        for fault in self._of(TransitionFault, region):
            if fault.transition == name and _is(fault.resource, resource):
                return Ending(fault.ending)
        return Ending.NORMAL

    def capacity(
        self, alias: str, group: str, zone: str, instance_type: str
    ) -> CapacityFault | None:
        """Why no instance can be launched there, if none can."""
        for fault in self._of(CapacityFault, alias):
            wanted = (fault.node_group, fault.zone, fault.instance_type)
            if all(map(_is, wanted, (group, zone, instance_type))):
                return fault
        return None

    def image_pull(self, alias: str, image: str) -> str | None:
        """Why an image cannot be pulled there; None if nothing is in its way."""
        for fault in self._of(ImagePullFault, alias):
            if fault.image == "*" or fault.image in image:
                return fault.message
        return None

    def wedged(self, alias: str) -> bool:
        """Whether Argo CD's application controller hangs there."""
        return any(True for _ in self._of(ArgoCdFault, alias))

    def lag(self, of: str, region: str, resource: str) -> float:
        """Seconds that replication into a Region is behind, on top of what is usual."""
        return sum(
            (self._now() - entry.since) * entry.fault.rate
            for entry in self
            if isinstance(entry.fault, LagFault)
            and entry.fault.of == of
            and _is(entry.fault.resource, resource)
            and self._there(entry.fault, region)
        )

    def dump(self) -> list[Any]:
        """The book as JSON values."""
        return [entry.model_dump(mode="json") for entry in self]

    def load(self, state: list[Any]) -> None:
        """Take the book that `dump` gave."""
        entries = [Entry.model_validate(one) for one in state]
        self._entries = {entry.id: entry for entry in entries}
        self._random = random.Random(self.SEED)

    def _of(self, kind: type[T], region: str) -> Iterator[T]:
        for entry in self:
            if isinstance(entry.fault, kind) and self._there(entry.fault, region):
                yield entry.fault

    def _there(self, fault: _Fault, region: str) -> bool:
        return fault.region == "*" or self._same(fault.region, region)

    def _meets(
        self, fault: CallError | CallLatency, service: str, operation: str, region: str
    ) -> bool:
        there = self._there(fault, region)
        if not (there and _is(fault.service, service) and _is(fault.operation, operation)):
            return False
        return fault.rate >= 1 or self._random.random() < fault.rate

    def _spend(self, entry: Entry, fault: CallError) -> None:
        met = entry.met + 1
        if fault.times is not None and met >= fault.times:
            del self._entries[entry.id]
        else:
            self._entries[entry.id] = entry.model_copy(update={"met": met})


def _is(wanted: str, name: str) -> bool:
    return wanted in ("*", name)
