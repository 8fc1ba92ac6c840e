"""`make bench`: what the product costs, as ratios within one run. It measures and never judges.

The import is a whole process each time, because that is what a Dagster run pays. The look and the
calls go to local Regions of this run, at the speed of the demo; moto's server and plain ministack
answer the same calls beside them.
"""

import logging
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
from tests import bench_calls, bench_servers, local_world
from tests.local_world import LocalWorld
from tests.rehearsal.virtual import rehearsing

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
        with local_world.start(Path(folder) / "product", speed=20, strict=False) as world:
            tell("local Regions: start until ready", time.perf_counter() - started)
            templates(world)
            looks(world)
            calls(world)
        servers(Path(folder))
        rehearsal(Path(folder) / "rehearsal")


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


def servers(folder: Path) -> None:
    """The local Regions beside those that answer the same calls."""
    with bench_servers.all_three(folder) as running:
        ours, *others = measured = bench_calls.measure(running)
    names = [one.server.name for one in measured]
    row("the same calls, in the same run", *names)
    for call in bench_calls.CALLS:
        row(call, *(f"{one.latencies[call] * 1000:.2f} ms" for one in measured))
    row("median of these", *(f"{one.median * 1000:.2f} ms" for one in measured))
    row("calls a second, four clients", *(f"{one.rate:.0f}" for one in measured))
    row("start until it answers", *(f"{one.server.started:.2f} s" for one in measured))
    row("memory after these calls", *(f"{one.memory:.0f} MiB" for one in measured))
    told = (f"{ours.median / one.median:.2f}x" for one in others)
    row("local Regions' latency by theirs (aim: 1.5 of ministack's)", "", *told)
    row("  start (aim: at most 3 s)", f"{ours.server.started:.2f} s")


def rehearsal(folder: Path) -> None:
    """The demo with all its true durations, on a clock that stands still, and what it leaves."""
    folder.mkdir()
    logging.disable(logging.INFO)
    with rehearsing(folder, strict=False) as demo:
        tell("build both Regions, virtual time", timed(demo.build))
        started = time.perf_counter()
        report = demo.lose_home()
        tell(
            f"lose one, RTO {report['rto_s']:.0f} s of virtual time", time.perf_counter() - started
        )
        memory = bench_servers.memory_of(demo.world.process.pid)
    row("memory after that demo (aim: at most 250 MiB)", f"{memory:.0f} MiB")


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


def row(what: str, *values: str) -> None:
    """One line with a value for each server."""
    print(f"{what:58}" + "".join(f"{value:>16}" for value in values))


def tell(what: str, seconds: float) -> None:
    """One line of the table."""
    print(f"{what:52} {seconds * 1000:>7.1f} ms")


if __name__ == "__main__":
    main()
