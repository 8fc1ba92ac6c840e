"""`make demo`: build two Regions, check readiness, lose the active one, serve from the other.

The real Dagster daemon and code location do the work; nothing reaches around the sensor. Ends with
`DEMO OK rto=… rpo_efs=… rpo_aurora=… report=…` and status 0, or `DEMO FAILED <why>` and 1.
`make dev` (`--dev`) builds the same world and leaves it running with the UI. It goes on with the
world that the folder has, also that of a demo which was killed; `--reset` begins a new one.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

from platform_pipelines.errors import PlatformError, Refused
from platform_pipelines.local import afterwards, options
from platform_pipelines.local.dagster_client import Run
from platform_pipelines.local.options import BadOption
from platform_pipelines.local.stage import (
    DAGSTER_PORT,
    Stage,
    active,
    build,
    is_built,
    program,
    stage,
)

SENSOR_TAG = "dagster/sensor_name"
SENSOR = "region_outage_sensor"
LEAVING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STARTS_WITHIN = 60.0  # real seconds until the sensor's run is there
ENDS_WITHIN = 120.0

CHEAT_SHEET = """
The platform runs in {home}; the standby is {standby}. Times run {speed:g} times as fast as AWS's.

  Dagster UI          {ui}   (asset lineage, jobs, region_outage_sensor)
  both Regions        {aws}/_local/   (states, replication, switches for what can break, calls)
  lose {home}          curl -X PUT {aws}/_local/regions/{home}/outage -d '{{"mode": "hang"}}'
  bring it back       curl -X DELETE {aws}/_local/regions/{home}/outage
  what was called     tail -f {state}/calls.jsonl
  the clusters        KUBECONFIG={kubeconfig} {kubectl} --context {standby} get nodes,deployments -A
  the service         curl -x {services} http://{host}{health}
  DNS                 dig @{dns_host} -p {dns_port} {host}
  AWS                 AWS_ACCESS_KEY_ID={account} AWS_SECRET_ACCESS_KEY=local \\
                      aws --endpoint-url {aws} --region {region} rds describe-global-clusters
  reports, logs       {reports}/, {state}/logs/

Ctrl-C ends everything.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the demo, or with `--dev` the stage alone; returns the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    dev = "--dev" in given
    name = "DEV" if dev else "DEMO"
    started = time.monotonic()
    for number in LEAVING:
        signal.signal(number, _leave)

    def say(text: str) -> None:
        print(f"[{time.monotonic() - started:6.1f} s] {text}", flush=True)

    try:
        settings = options.read([one for one in given if one != "--dev"])
        if settings.virtual:  # time that stands still is moved by one process; Dagster is several
            raise BadOption("--clock", "virtual", "real; rehearse in one process with virtual time")
        fresh = settings.reset or not dev
        with stage(settings, _dagster_port(), say, fresh=fresh) as made:
            if dev:
                return _dev(made)
            report = _demo(made)
    except KeyboardInterrupt:
        print(f"{name} FAILED it was stopped", flush=True)
        return 130
    except Refused as error:
        print(f"{name} FAILED {options.one_line(error)}", flush=True)
        return 2
    except (PlatformError, OSError) as error:
        print(f"{name} FAILED {options.one_line(error)}", flush=True)
        return 1
    print(_line(report), flush=True)
    return 0


def _demo(made: Stage) -> dict[str, Any]:
    """The whole loop; returns the report. Raises: PlatformError."""
    platform = made.options.platform
    home, standby = platform.home_region, platform.other(platform.home)
    build(made)
    before = made.local.black_out(home.alias)
    made.say(f"{home.alias} is dark: AWS, Kubernetes and its load balancers hang")
    run = made.wait("A region_failover of the sensor", lambda: _sensor_run(made), STARTS_WITHIN)
    made.say(f"{SENSOR} started region_failover ({run.id[:8]})")
    for line in made.follow(run.id, ENDS_WITHIN):
        made.say(f"  {line}")
    settled = max((call.n for call in made.local.calls(after=before)), default=before)
    made.launch("apply_infrastructure")
    found = afterwards.executed(made, settled) + afterwards.problems(made, standby, before)
    if found:
        raise DemoFailed("; ".join(found))
    made.say(f"{standby.alias} serves, and nothing needed {home.alias}")
    path = _report_path(made, run)
    return {**json.loads(path.read_text()), "path": str(path.with_suffix(".html"))}


class DemoFailed(PlatformError):
    """The world after the failover is not as it must be."""


def _sensor_run(made: Stage) -> Run | None:
    for run in made.dagster.runs("region_failover"):
        if run.tags.get(SENSOR_TAG) == SENSOR:
            return run
    return None


def _report_path(made: Stage, run: Run) -> Path:
    """The report of this run's incident, where the product writes it."""
    incident = run.tags.get("incident", "")
    path = made.options.file.parent / ".local" / "reports" / f"{incident}.json"
    if not path.exists():
        raise DemoFailed(f"there is no report {path}")
    return path


def _line(report: dict[str, Any]) -> str:
    def told(value: float | None) -> str:
        return "unknown" if value is None else f"{value:.1f}"

    return (
        f"DEMO OK rto={told(report['rto_s'])} rpo_efs={told(report['rpo_efs_s'])} "
        f"rpo_aurora={told(report['rpo_aurora_s'])} report={report['path']}"
    )


def _shown(path: Path) -> Path:
    """A path as a person who stands in the checkout would type it."""
    absolute, here = path.absolute(), Path.cwd()
    return absolute.relative_to(here) if absolute.is_relative_to(here) else absolute


def _dev(made: Stage) -> int:
    platform = made.options.platform
    if is_built(made):
        made.say("the platform is built already; what was under way goes on by itself")
        made.say("a new world instead: make dev FRESH=1")
    else:
        build(made)
    state = _shown(made.options.state)
    home = active(made)
    standby = platform.other(home)
    service = platform.services[-1]
    dns_host, _, dns_port = made.ready["dns"].rpartition(":")
    print(
        CHEAT_SHEET.format(
            home=home,
            standby=standby.alias,
            speed=made.options.speed,
            ui=made.dagster.url,
            aws=made.ready["aws"],
            state=state,
            reports=_shown(made.options.file.parent / ".local" / "reports"),
            kubeconfig=f"{state}/kubeconfig",
            kubectl=_shown(program("kubectl")),
            services=made.ready["services"],
            host=service.host,
            health=service.health_path,
            dns_host=dns_host,
            dns_port=dns_port,
            account=platform.account,
            region=standby.name,
        ),
        flush=True,
    )
    try:
        while True:
            made.processes.check()
            time.sleep(1)
    except KeyboardInterrupt:
        made.say("ending everything")
        return 0


def _leave(_number: int, _frame: FrameType | None) -> None:
    """Leave as Ctrl-C does, so that the processes that we started end with us.

    A second signal, of an impatient person or of make, does not stop the ending itself."""
    for number in LEAVING:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _dagster_port() -> int:
    value = os.environ.get(DAGSTER_PORT, "3000")
    if not value.isdecimal() or int(value) > 65535:
        raise BadOption(DAGSTER_PORT, value, "a port up to 65535, or 0 for any that is free")
    return int(value)


if __name__ == "__main__":
    sys.exit(main())
