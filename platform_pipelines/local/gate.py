"""What stands between a caller and an answer, at all kinds of ports alike: outages, partitions,
injected errors, latency and breakpoints.

A caller is somewhere: `controller/<alias>` in its User-Agent says in which Region, else it is
outside of both. Route 53 and IAM live in us-east-1, and nothing else does.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from platform_pipelines.local import calls
from platform_pipelines.local.breakpoints import Breakpoint, Breakpoints, When
from platform_pipelines.local.calls import Asked
from platform_pipelines.local.faults import CallError
from platform_pipelines.local.http import Receive
from platform_pipelines.local.world import CONTROLLER, GLOBAL_REGION, Outage, World
from platform_pipelines.model import Region

SILENT = (Outage.HANG, Outage.REFUSE)  # never answered
_ORIGIN = re.compile(r"\bcontroller/([a-z0-9-]+)")

# Operations on data, which need no control plane. STS answers in either kind of outage.
# https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/control-planes-and-data-planes.html
_DATA_SERVICES = frozenset({"s3", "http"})
_DATA_OPERATIONS = {
    "cloudwatch": {"GetMetricData", "GetMetricStatistics", "PutMetricData"},
    "dynamodb": {
        *("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"),
        *("BatchGetItem", "BatchWriteItem", "TransactGetItems", "TransactWriteItems"),
        *("ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"),
    },
    "ecr": {"BatchGetImage", "GetDownloadUrlForLayer", "BatchCheckLayerAvailability"},
    "kms": {"Encrypt", "Decrypt", "GenerateDataKey"},
    "logs": {"PutLogEvents", "GetLogEvents", "FilterLogEvents"},
    "secretsmanager": {"GetSecretValue"},
    "sns": {"Publish", "PublishBatch"},
}


def is_data(service: str, operation: str) -> bool:
    """Whether an operation belongs to a service's data plane."""
    return service in _DATA_SERVICES or operation in _DATA_OPERATIONS.get(service, ())


def origin(headers: Mapping[str, str]) -> str:
    """Where a caller is: a Region's alias, or `controller`."""
    found = _ORIGIN.search(headers.get("user-agent", ""))
    return found[1] if found and found[1] != "external" else CONTROLLER


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A call on its way."""

    asked: Asked
    region: Region | None  # None: a service of no Region, or a Region that is not the platform's
    origin: str
    held: tuple[Breakpoint, ...] = ()  # those that it has to stop at


class Gate:
    """The gate of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.breakpoints = Breakpoints()

    def enter(self, asked: Asked, region: Region | None, headers: Mapping[str, str]) -> Passage:
        """Note a call that has come in; a breakpoint counts it unless it gets nowhere."""
        passage = Passage(asked=asked, region=region, origin=origin(headers))
        if self.outage(passage) is None:
            return replace(passage, held=self.breakpoints.meet(asked))
        return passage

    def outage(self, passage: Passage) -> Outage | None:
        """How a call is not answered, if it is not. It changes while the call is under way."""
        asked, region = passage.asked, passage.region
        if self._cut_off(passage.origin, region):
            return Outage.HANG
        if region is None:
            lost = self._world.outages.get(GLOBAL_REGION)
            served = asked.service == "http" or asked.region not in (calls.GLOBAL, GLOBAL_REGION)
            return None if served else lost
        match self._world.outage(region):
            case Outage.CONTROL_PLANE if asked.service != "sts":
                return None if is_data(asked.service, asked.operation) else Outage.HANG
            case Outage.DATA_PLANE if asked.service != "sts":
                return Outage.HANG if is_data(asked.service, asked.operation) else None
            case Outage.CONTROL_PLANE | Outage.DATA_PLANE:
                return None
            case lost:
                return lost

    def error(self, passage: Passage) -> CallError | None:
        """The error that was put in the way of this call."""
        asked = passage.asked
        return self._world.faults.error(asked.service, asked.operation, asked.region)

    async def before(self, passage: Passage, receive: Receive) -> bool:
        """Wait as long as the call has to; False if its caller has left."""
        asked = passage.asked
        late = self._world.faults.latency(asked.service, asked.operation, asked.region)
        if late:
            await asyncio.sleep(late)
        return await self._hold(passage, When.BEFORE, receive)

    async def after(self, passage: Passage, receive: Receive) -> bool:
        """Hold the answer, if a breakpoint says so; False if its caller has left."""
        return await self._hold(passage, When.AFTER, receive)

    async def _hold(self, passage: Passage, when: When, receive: Receive) -> bool:
        for point in passage.held:
            if point.when is when and not await self._stop(passage, point, receive):
                return False
        return True

    async def _stop(self, passage: Passage, point: Breakpoint, receive: Receive) -> bool:
        """Stop at a breakpoint until it is taken away; False if the caller leaves before."""
        point.operation = passage.asked.operation
        point.hit.set()
        gone = asyncio.create_task(_gone(receive))
        free = asyncio.create_task(point.released.wait())
        done, _ = await asyncio.wait({gone, free}, return_when=asyncio.FIRST_COMPLETED)
        for task in (gone, free):
            task.cancel()
        return free in done

    def _cut_off(self, place: str, region: Region | None) -> bool:
        """Whether a caller cannot reach a Region (None: a place that is none of the platform's): a
        partition, or its own Region is lost whole."""
        if region and place == region.alias:
            return False
        if region and frozenset({place, region.alias}) in self._world.partitions:
            return True
        home = next((one for one in self._world.platform.regions if one.alias == place), None)
        return home is not None and self._world.dark(home) and self._world.frozen(home)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
