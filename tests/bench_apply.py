"""What an apply costs beside what CloudFormation itself takes, on a clock that stands still.

Only AWS-like time passes there, so what the product adds is what it waits longer than it must:
until it sees that a stack has ended, for change sets, and for what it could have done at once.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import cfn
from platform_pipelines.local.calls import CallRecord
from tests.bench_rows import ratio, row, tell, timed
from tests.local_world import LocalWorld
from tests.rehearsal.virtual import Rehearsal

Key = tuple[str, str]
APPLY = "apply_infrastructure"
STACK = "AWS::CloudFormation::Stack"
BEGUN, DONE = "CREATE_IN_PROGRESS", "CREATE_COMPLETE"


def applies(demo: Rehearsal) -> None:
    """The first apply ever, and one that has nothing to do."""
    began = demo.clock.monotonic()
    tell("apply all stacks of both Regions, virtual time", timed(lambda: demo.run(APPLY)))
    took = demo.clock.monotonic() - began
    platform = demo.world.platform
    needs = {
        unit.key: [other.key for other in cfn.dependencies(platform, unit)]
        for unit in cfn.units(platform)
    }
    path, seconds = critical_path(needs, operations(demo.world))
    row("  AWS-like seconds", f"{took:.0f} s")
    row("  longest path, as CloudFormation took", f"{seconds:.0f} s")
    row(f"    {' > '.join('/'.join(key) for key in path)}")
    ratio("  apply / longest path (aim: at most 1.15)", took / seconds)
    _again(demo, len(needs))


def _again(demo: Rehearsal, stacks: int) -> None:
    """What an apply asks of AWS when nothing has changed."""
    calls, seconds = counted(demo.world, lambda: demo.run(APPLY))
    tell("apply with nothing to do", seconds)
    for (service, operation), count in calls.most_common():
        row(f"  {service} {operation}", str(count))
    told = f"{calls.total() / stacks:.2f}"
    row(f"  calls for each of {stacks} stacks (aim: at most 2)", told)


def counted(
    world: LocalWorld, call: Callable[[], object]
) -> tuple[Counter[tuple[str, str]], float]:
    """The AWS calls that were made meanwhile, and the seconds that it took."""
    before = max((one.n for one in world.control.calls()), default=0)
    seconds = timed(call)
    return Counter(_asked(world.control.calls(before))), seconds


def _asked(calls: Iterator[CallRecord]) -> Iterator[tuple[str, str]]:
    for one in calls:
        yield one.service, one.operation


def operations(world: LocalWorld) -> dict[Key, float]:
    """The seconds of each stack's creation, by CloudFormation's own events: from the execution of
    its change set to its end."""
    platform = world.platform
    clients = {one.alias: world.aws("cloudformation", one.alias) for one in platform.regions}
    return {
        unit.key: _operation(clients[unit.region.alias], platform.stack_name(unit.stack.name))
        for unit in cfn.units(platform)
    }


def _operation(client: Any, stack: str) -> float:
    pages = client.get_paginator("describe_stack_events").paginate(StackName=stack)
    times: dict[str, datetime] = {
        event["ResourceStatus"]: event["Timestamp"]
        for page in pages
        for event in page["StackEvents"]
        if event["ResourceType"] == STACK
    }
    return (times[DONE] - times[BEGUN]).total_seconds()


def critical_path(
    needs: Mapping[Key, Sequence[Key]], seconds: Mapping[Key, float]
) -> tuple[list[Key], float]:
    """The longest way through the graph, and its length; `needs` names all that comes before a key,
    and has each key after those."""
    ways: dict[Key, tuple[list[Key], float]] = {}
    for key, before in needs.items():
        way, length = max((ways[one] for one in before), key=lambda way: way[1], default=([], 0.0))
        ways[key] = [*way, key], length + seconds[key]
    return max(ways.values(), key=lambda way: way[1])
