"""The rehearsal stage: the local Regions, both heartbeats and Dagster, and a platform built on them.

`make demo` and `make dev` set the same stage. Everything that a user would do is done as a user
does it: Dagster is started with `dagster dev` and driven over GraphQL, images are pushed over the
ECR API, Argo CD's Applications are applied with kubectl.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import urllib3
import yaml
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from platform_pipelines.errors import Failed
from platform_pipelines.local import images, sockets, vault
from platform_pipelines.local.client import LocalClient
from platform_pipelines.local.dagster_client import DagsterClient
from platform_pipelines.local.options import Options, variables
from platform_pipelines.local.processes import Processes, end_orphans

DAGSTER_PORT = "DAGSTER_PORT"  # the variable
LAUNCHED_WITHIN = 300.0  # real seconds for a run to end
ROOT = Path(__file__).resolve().parent.parent.parent
Say = Callable[[str], None]


@dataclass
class NotInTime(Failed):
    """Something that the stage waits for did not come."""

    what: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.what} did not come within {self.seconds:.0f} s; look at .local/logs."


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A world that runs, and how to reach its parts."""

    options: Options
    ready: dict[str, Any]  # the local Regions' ready line
    environment: Mapping[str, str]
    dagster: DagsterClient
    local: LocalClient
    processes: Processes
    say: Say

    def aws(self, service: str, alias: str) -> Any:
        """A boto3 client of a Region, as a user's own script would make it."""
        return boto3.client(
            service,  # type: ignore[call-overload]  # any service by name
            region_name=self.options.platform.region(alias).name,
            endpoint_url=self.ready["aws"],
            aws_access_key_id=self.options.platform.account,
            aws_secret_access_key="local",
            config=Config(
                connect_timeout=2,
                read_timeout=10,
                retries={"total_max_attempts": 1},
                ignore_configured_endpoint_urls=True,  # type: ignore[call-arg]  # unknown to stubs
                s3={"addressing_style": "path"},
            ),
        )

    def launch(self, job: str, config: dict[str, Any] | None = None) -> None:
        """Launch a job and wait for its success. Raises: DagsterFailed."""
        started = time.monotonic()
        run_id = self.dagster.launch(job, config)
        for _ in self.follow(run_id, LAUNCHED_WITHIN):
            pass
        self.say(f"{job} succeeded in {time.monotonic() - started:.1f} s")

    def follow(self, run_id: str, within: float) -> Iterator[str]:
        """What a run's steps do, for so many real seconds at most.
        Raises: DagsterFailed, NotInTime, ProcessEnded."""
        deadline = time.monotonic() + within
        for line in self.dagster.follow(run_id):
            self.processes.check()
            if time.monotonic() > deadline:
                raise NotInTime(f"The end of run {run_id}", within)
            if line:
                yield line

    def wait(self, what: str, condition: Callable[[], Any], within: float) -> Any:
        """Wait real seconds for something. Raises: NotInTime, ProcessEnded."""
        deadline = time.monotonic() + within
        while not (found := condition()):
            self.processes.check()
            if time.monotonic() > deadline:
                raise NotInTime(what, within)
            time.sleep(0.2)
        return found


@contextmanager
def stage(options: Options, dagster_port: int, say: Say, *, fresh: bool) -> Iterator[Stage]:
    """The local Regions and Dagster, on a new world if `fresh`, else on the one that the folder has.
    Everything ends with the context, however it is left; what a SIGKILL left is ended first.

    Ports are the options'; 0 lets the system choose. Raises: PortTaken and StageTaken before anything
    is started.
    """
    state = options.state.resolve()
    note = state / "processes.json"
    orphans = end_orphans(note)
    if orphans:
        say(f"ended what an earlier stage left behind: {', '.join(map(str, orphans))}")
    sockets.see_free(options.ports, {DAGSTER_PORT: dagster_port})
    dagster_port = dagster_port or sockets.any_port()
    fresh = fresh or not (state / vault.FILE).exists()
    home, began = _dagster_home(state, fresh=fresh), time.time()
    with Processes(state / "logs", note) as processes:
        ready = _local_regions(processes, options, state, fresh=fresh)
        environment = _environment(ready, options, home)
        kind = "two new local Regions are" if fresh else "the local Regions of before are"
        say(f"{kind} up at {ready['aws']}, speed {options.speed:g}")
        _heartbeats(processes, options, environment)
        processes.start("dagster", _dagster(dagster_port), environment)
        made = Stage(
            options=options,
            ready=ready,
            environment=environment,
            dagster=DagsterClient(f"http://127.0.0.1:{dagster_port}"),
            local=LocalClient(ready["aws"]),
            processes=processes,
            say=say,
        )
        made.wait("Dagster's code location", made.dagster.loaded, 120)
        say(f"Dagster is up at {made.dagster.url}")
        for run in made.dagster.abandon_runs(began):
            say(f"run {run.id[:8]} was killed with its stage; it is marked as canceled")
        yield made


def _dagster_home(state: Path, *, fresh: bool) -> Path:
    home = state / "dagster"
    if fresh:
        shutil.rmtree(home, ignore_errors=True)
        _mark(state).unlink(missing_ok=True)
    home.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "dagster.yaml", home)
    return home


def _heartbeats(processes: Processes, options: Options, environment: Mapping[str, str]) -> None:
    for region in options.platform.regions:
        command = [sys.executable, "-m", "platform_pipelines.failover.heartbeat"]
        name = f"heartbeat-{region.alias}"
        processes.start(name, [*command, "--region", region.alias], environment)


def _mark(state: Path) -> Path:
    """The file that says that the platform is built in this world."""
    return state / "built"


def is_built(stage: Stage) -> bool:
    """Whether this world has the platform already; else building it goes on where it was."""
    return _mark(stage.options.state.resolve()).exists()


def active(stage: Stage) -> str:
    """The alias of the active Region, as the ledger has it; home before there is one."""
    platform = stage.options.platform
    key = {"pk": {"S": platform.platform}, "sk": {"S": "roles/current"}}
    for region in platform.regions:
        client = stage.aws("dynamodb", region.alias)
        with suppress(BotoCoreError, ClientError):
            found = client.get_item(TableName=platform.ledger_table, Key=key, ConsistentRead=True)
            return str(found.get("Item", {}).get("active", {}).get("S", platform.home))
    return platform.home


def build(stage: Stage) -> None:
    """Build the platform in both Regions, deliver the services, and check readiness. Each step may
    find that an earlier try has done it."""
    deliver(stage)
    stage.launch("readiness_check")
    _mark(stage.options.state.resolve()).touch()


def deliver(stage: Stage) -> None:
    """Build the platform in both Regions and deliver the services, until they answer."""
    platform = stage.options.platform
    stage.launch("apply_infrastructure")
    pushed = images.push_all(stage.aws("ecr", platform.home), platform)
    stage.say(f"pushed {len(pushed)} images to {platform.home}; ECR copies them")
    for region in platform.regions:
        _kubectl(stage, region.alias)
    stage.say("Argo CD's Applications are applied to both clusters")
    stage.launch("converge_roles")
    stage.wait("A service that answers", lambda: _serves(stage), 90)
    stage.say(f"{', '.join(one.host for one in platform.services)} answer from {platform.home}")


def program(name: str) -> Path:
    """A program of this environment; a user's own PATH need not have it."""
    return Path(sys.executable).with_name(name)


def _local_regions(
    processes: Processes, options: Options, state: Path, *, fresh: bool
) -> dict[str, Any]:
    durations = state / "durations.yaml"
    durations.write_text(yaml.safe_dump(options.durations.model_dump()))
    command = [sys.executable, "-m", "platform_pipelines.local", "--state", str(state)]
    command += ["--reset"] if fresh else []
    command += ["--speed", f"{options.speed:g}", "--platform", str(options.file)]
    command += ["--durations", str(durations)]
    command += ["--validate"] if options.strict else []
    log = processes.start("local", command, variables(options.ports))
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        lines = [line for line in log.read_text().splitlines() if line.startswith('{"ready"')]
        if lines:
            ready: dict[str, Any] = json.loads(lines[0])
            return ready
        processes.check()
        time.sleep(0.05)
    raise NotInTime("The local Regions", 30)


def _environment(ready: dict[str, Any], options: Options, home: Path) -> dict[str, str]:
    clock = LocalClient(ready["aws"]).clock().platform_clock
    return {
        "PLATFORM_TARGET": "local",
        "PLATFORM_CONTROLLER": "external",
        "PLATFORM_FILE": str(options.file),
        "PLATFORM_LOCAL_URL": ready["aws"],
        "PLATFORM_DNS": ready["dns"],
        "PLATFORM_CLOCK": clock,
        "LOCAL_SERVICE_PORT": ready["services"].rpartition(":")[2],
        "DAGSTER_HOME": str(home),
        "KUBECONFIG": ready["kubeconfig"],
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
    }


def _dagster(port: int) -> list[str]:
    workspace = ["-w", str(ROOT / "workspace.yaml")]
    return [str(program("dagster")), "dev", *workspace, "-h", "127.0.0.1", "-p", str(port)]


def _kubectl(stage: Stage, alias: str) -> None:
    overlay = ROOT / "manifests" / "argocd" / "overlays" / alias
    done = subprocess.run(
        [str(program("kubectl")), "--context", alias, "apply", "--server-side", "-k", str(overlay)],
        env={**os.environ, **stage.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Failed(f"kubectl apply -k {overlay} failed: {done.stderr.strip()}")


def _serves(stage: Stage) -> bool:
    """Whether every service answers through its own name, as a client's proxy sees it."""

    platform = stage.options.platform
    with urllib3.ProxyManager(stage.ready["services"], timeout=2.0, retries=False) as proxy:
        for service in platform.services:
            try:
                url = f"http://{service.host}{service.health_path}"
                if proxy.request("GET", url).status != 200:
                    return False
            except urllib3.exceptions.HTTPError:
                return False
    return True
