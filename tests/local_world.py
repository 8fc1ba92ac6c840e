"""The local Regions as a test sees them: a server of its own process, and clients of everything.

`start` runs `python -m platform_pipelines.local` on ports that the system chooses, with a state
folder of its own, so any number of worlds run side by side.
"""

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import dns.resolver
import urllib3
import yaml
from botocore.config import Config
from kubernetes import client as kube
from kubernetes import config as kube_config

from platform_pipelines import model
from platform_pipelines.local import violations
from platform_pipelines.local.calls import CallRecord
from platform_pipelines.local.client import LocalClient
from platform_pipelines.local.durations import Durations
from platform_pipelines.model import Platform

ROOT = Path(__file__).parent.parent
PLATFORM = ROOT / "platform.yaml"
START, STOP = 30.0, 10.0  # real seconds
RHYTHMS = (
    "argocd_poll",
    "ecr_lifecycle",
    "efs_replication_sync",
    "health_check_interval",
    "s3_lifecycle",
)
VIOLATIONS: list[str] = []  # of all servers of this test session
ANY_PORT = {
    "LOCAL_AWS_PORT": "0",
    "LOCAL_DNS_PORT": "0",
    "LOCAL_SERVICE_PORT": "0",
}


@dataclass(kw_only=True)
class LocalWorld:
    """A running server."""

    ready: dict[str, Any]  # its ready line
    platform: Platform
    platform_file: Path
    state: Path
    process: subprocess.Popen[str] = field(repr=False)
    control: LocalClient
    told: int = 0  # how many calls were logged before the test that has this world

    @property
    def url(self) -> str:
        """The AWS port."""
        return str(self.ready["aws"])

    def aws(self, service: str, alias: str = "seoul", **config: Any) -> Any:
        """A boto3 client of a service in a Region; `config` overrides botocore's settings."""
        settings: dict[str, Any] = {
            "connect_timeout": 2,
            "read_timeout": 10,
            "retries": {"total_max_attempts": 1},
            "s3": {"addressing_style": "path"},
            "ignore_configured_endpoint_urls": True,
        }
        return boto3.client(
            service,  # type: ignore[call-overload]  # any service by name
            region_name="us-east-1" if service == "route53" else self.platform.region(alias).name,
            endpoint_url=self.url,
            aws_access_key_id=self.platform.account,
            aws_secret_access_key="local",
            config=Config(**{**settings, **config}),
        )

    def calls(self) -> list[CallRecord]:
        """What the test that has this world made it log."""
        return list(self.control.calls(self.told))

    def kube(self, alias: str) -> kube.ApiClient:
        """A Kubernetes client of a Region's cluster, by the kubeconfig that the server wrote."""
        connect: Any = kube_config.new_client_from_config  # it has no types
        made: kube.ApiClient = connect(self.ready["kubeconfig"], context=alias)
        return made

    def resolver(self) -> dns.resolver.Resolver:
        """A resolver that asks the server's DNS and caches nothing."""
        host, _, port = self.ready["dns"].rpartition(":")
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port, resolver.lifetime = [host], int(port), 3.0
        return resolver

    def proxy(self) -> urllib3.ProxyManager:
        """An HTTP client that reaches load balancers by their addresses."""
        return urllib3.ProxyManager(self.ready["services"], timeout=3.0, retries=False)

    def environment(self, controller: str = "external") -> dict[str, str]:
        """The variables with which the product acts on this world."""
        return {
            "PLATFORM_TARGET": "local",
            "PLATFORM_CONTROLLER": controller,
            "PLATFORM_FILE": str(self.platform_file),
            "PLATFORM_LOCAL_URL": self.url,
            "PLATFORM_DNS": self.ready["dns"],
            "PLATFORM_CLOCK": self.ready["clock"],
            "LOCAL_SERVICE_PORT": self.ready["services"].rpartition(":")[2],
        }

    def stop(self) -> int:
        """Ask the server to end; its exit status."""
        self.process.terminate()
        return self.process.wait(STOP)


@contextmanager
def start(
    state: Path,
    *,
    speed: float = 200,
    durations: Mapping[str, float] | None = None,
    platform: Path = PLATFORM,
    reset: bool = False,
    virtual: bool = False,
    strict: bool = True,
    ports: Mapping[str, str] = ANY_PORT,
) -> Iterator[LocalWorld]:
    """A world until the end of the context."""
    state.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "platform_pipelines.local", "--state", str(state)]
    command += ["--speed", str(speed), "--platform", str(platform)]
    command += ["--validate"] if strict else []
    command += ["--clock", "virtual"] if virtual else []
    if reset:
        command.append("--reset")
    if durations:
        file = state / "durations.yaml"
        file.write_text(yaml.safe_dump(dict(durations)))
        command += ["--durations", str(file)]
    parsed = model.load(platform)
    process = launch(command, {**_environment(parsed), **ports})
    try:
        ready = _ready(process)
        yield LocalWorld(
            ready=ready,
            platform=parsed,
            platform_file=platform,
            state=state,
            process=process,
            control=LocalClient(ready["aws"]),
        )
    finally:
        end(process)
        note_violations(state)


def quick(most: float = 5, **durations: float) -> Durations:
    """No transition takes longer than `most` AWS-like seconds; rhythms stay as they are."""
    usual = Durations().model_dump()
    capped = {name: min(value, most) for name, value in usual.items() if name not in RHYTHMS}
    return Durations.model_validate(usual | capped | durations)


def note_violations(state: Path) -> None:
    """Collect what the server's answers had wrong by botocore's models; the session fails on any."""
    file = state / violations.FILE
    if file.exists():
        VIOLATIONS.extend(file.read_text().splitlines())


def launch(command: list[str], environment: Mapping[str, str]) -> subprocess.Popen[str]:
    """Start a server; what it says is read from its pipes."""
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=dict(environment),
        stdout=subprocess.PIPE,
        text=True,
    )


def end(process: subprocess.Popen[str]) -> None:
    """Make sure that a process is gone."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout:
        process.stdout.close()


def _environment(platform: Platform) -> dict[str, str]:
    clusters = {f"LOCAL_KUBE_{region.alias.upper()}_PORT": "0" for region in platform.regions}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**kept, **ANY_PORT, **clusters}


def _ready(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    answered, _, _ = select.select([process.stdout], [], [], START)
    line = process.stdout.readline() if answered else ""
    if not line:
        raise RuntimeError(f"the local Regions did not become ready (exit {process.poll()})")
    ready: dict[str, Any] = json.loads(line)
    return ready
