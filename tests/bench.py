"""`make bench`: what the product costs, as ratios within one run. It measures and never judges.

The import is a whole process each time, because that is what a Dagster run pays. The look and the
calls go to local Regions of this run, at the speed of the demo; moto's server and plain ministack
answer the same calls beside them.
"""

import logging
import os
import tempfile
import time
from pathlib import Path

from platform_pipelines import model
from platform_pipelines.aws import settings
from platform_pipelines.aws.region import Aws
from platform_pipelines.failover.signals import Observer
from platform_pipelines.ledger_records import Roles
from tests import bench_apply, bench_calls, bench_servers, bench_templates, local_world
from tests.bench_rows import beside, median, python, ratio, row, tell, timed
from tests.local_world import PLATFORM, LocalWorld
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
        bench_templates.templates(model.load(PLATFORM), Path(folder))
        started = time.perf_counter()
        with local_world.start(Path(folder) / "product", speed=20, strict=False) as world:
            tell("local Regions: start until ready", time.perf_counter() - started)
            looks(world)
            calls(world)
        servers(Path(folder))
        rehearsal(Path(folder) / "rehearsal")


def imports() -> None:
    """The code location beside what any Dagster project on AWS imports."""
    base, location = beside(lambda: python(BASE), lambda: python(LOCATION), IMPORTS)
    tell(f"{BASE} (a)", base)
    tell(f"{LOCATION} (b)", location)
    ratio("b / a (aim: at most 1.5)", location / base)


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
        bench_apply.applies(demo)
        tell("the rest of the build, virtual time", timed(demo.build))
        started = time.perf_counter()
        report = demo.lose_home()
        tell(
            f"lose one, RTO {report['rto_s']:.0f} s of virtual time", time.perf_counter() - started
        )
        memory = bench_servers.memory_of(demo.world.process.pid)
    row("memory after that demo (aim: at most 250 MiB)", f"{memory:.0f} MiB")


if __name__ == "__main__":
    main()
