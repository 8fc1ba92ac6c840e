"""`make bench`: what the product costs, as ratios within one run. It measures and never judges.

The import is a whole process each time, because that is what a Dagster run pays. The look and the
calls go to local Regions of this run, at the speed of the demo.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cfn
from platform_pipelines.aws import settings
from platform_pipelines.aws.region import Aws
from platform_pipelines.failover.signals import Observer
from platform_pipelines.ledger_records import Roles
from tests import local_world
from tests.local_world import LocalWorld

IMPORTS = 7
LOOKS = 100
CALLS = 200
BASE = "import dagster, boto3"
LOCATION = "import platform_pipelines.definitions"


def main() -> None:
    """Measure and print."""
    print(f"{'what':52} {'median':>10}")
    imports()
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        with local_world.start(Path(folder), speed=20) as world:
            tell("local Regions: start until ready", time.perf_counter() - started)
            templates(world)
            looks(world)
            calls(world)


def imports() -> None:
    """The code location beside what any Dagster project on AWS imports."""
    pairs = [(timed(lambda: python(BASE)), timed(lambda: python(LOCATION))) for _ in range(IMPORTS)]
    base, location = (statistics.median(one) for one in zip(*pairs, strict=True))
    tell(f"{BASE} (a)", base)
    tell(f"{LOCATION} (b)", location)
    print(f"{'b / a (aim: at most 1.5)':52} {location / base:>9.2f}x")


def templates(world: LocalWorld) -> None:
    """All templates of both Regions."""
    tell("render every template of both Regions", median(lambda: cfn.rendered(world.platform), 5))


def looks(world: LocalWorld) -> None:
    """One look of the sensor: wall time, and its CPU time in this process."""
    os.environ.update(world.environment())
    found = settings.from_environment(world.platform)
    observer = Observer(world.platform, Aws(world.platform, found))
    roles = Roles(active="seoul", standby="tokyo", epoch=1)
    observer.look(roles, None)  # clients are made once
    cpu = time.process_time()
    tell("a look of region_outage_sensor", median(lambda: observer.look(roles, None), LOOKS))
    tell("  of it CPU in the sensor's process", (time.process_time() - cpu) / LOOKS)


def calls(world: LocalWorld) -> None:
    """Calls of a client to the local Regions."""
    efs, nodes = world.aws("efs", "tokyo"), world.kube("tokyo")
    tell("boto3 efs.describe_file_systems", median(efs.describe_file_systems, CALLS))
    get = median(lambda: nodes.call_api("GET", f"{nodes.configuration.host}/api/v1/nodes"), CALLS)
    tell("kubernetes GET /api/v1/nodes", get)


def python(statement: str) -> None:
    """A process that imports and ends."""
    subprocess.run([sys.executable, "-c", statement], check=True, capture_output=True)


def median(call: Callable[[], object], times: int) -> float:
    """The median of some wall times, in seconds."""
    return statistics.median(timed(call) for _ in range(times))


def timed(call: Callable[[], object]) -> float:
    """One wall time, in seconds."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def tell(what: str, seconds: float) -> None:
    """One line of the table."""
    print(f"{what:52} {seconds * 1000:>7.1f} ms")


if __name__ == "__main__":
    main()
