"""A demo that is killed in the middle of a failover, server and all, goes on with `make dev`."""

import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import boto3
import pytest
import yaml

from platform_pipelines import model
from platform_pipelines.local.calls import FILE, CallRecord
from tests import local_world
from tests.local_world import PLATFORM, ROOT

PATIENCE = 480.0  # real seconds for a step of the story, on a busy machine
PORTS = {
    **local_world.ANY_PORT,
    "LOCAL_KUBE_SEOUL_PORT": "0",
    "LOCAL_KUBE_TOKYO_PORT": "0",
    "DAGSTER_PORT": "0",
}
IRREVERSIBLE = ("DeleteReplicationConfiguration", "FailoverGlobalCluster")


class Told:
    """What a demo prints, as it prints it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._coming: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._coming.put(line)
        self._coming.put("")

    def until(self, pattern: str) -> str:
        """The first group of the first line that matches; it fails if none comes."""
        deadline = time.monotonic() + PATIENCE
        with suppress(queue.Empty):
            while line := self._coming.get(timeout=max(0.0, deadline - time.monotonic())):
                self.lines.append(line)
                if found := re.search(pattern, line):
                    return found[1] if found.re.groups else line
        raise AssertionError(f"{pattern!r} was not told: {''.join(self.lines[-30:])}")


@contextmanager
def demo(state: Path, *arguments: str) -> Iterator[Told]:
    """A demo of quick transitions on ports of the system's choice."""
    file = state.with_name("durations.yaml")
    file.write_text(yaml.safe_dump(local_world.quick(10, efs_replication_deleting=60).model_dump()))
    options = ["--state", str(state), "--platform", str(PLATFORM), "--durations", str(file)]
    command = [sys.executable, "-u", "-m", "platform_pipelines.local.demo", *options, *arguments]
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **PORTS}, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    try:
        yield Told(process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def kill_everything(told: Told, state: Path) -> None:
    """As a machine that loses its power: the demo, the server, Dagster, the heartbeats."""
    noted = json.loads((state / "processes.json").read_text())
    told.process.kill()
    for one in noted["started"]:
        os.killpg(one["pid"], signal.SIGKILL)
    told.process.wait()


def incident_state(url: str) -> str:
    """Of the one incident that there is, as the ledger in Tokyo has it."""
    platform = model.load(PLATFORM)
    table = boto3.client(
        "dynamodb",
        region_name=platform.region("tokyo").name,
        endpoint_url=url,
        aws_access_key_id=platform.account,
        aws_secret_access_key="local",
    )
    found = table.query(
        TableName=platform.ledger_table,
        ConsistentRead=True,
        KeyConditionExpression="pk = :p AND begins_with(sk, :i)",
        ExpressionAttributeValues={":p": {"S": platform.platform}, ":i": {"S": "incident/"}},
    )["Items"]
    (incident,) = [one for one in found if "#" not in one["sk"]["S"]]
    return incident["state"]["S"]


@pytest.mark.parametrize("step", ["promote_aurora"])
def test_a_killed_demo_goes_on_and_repeats_nothing_that_cannot_be_undone(
    step: str, tmp_path: Path
) -> None:
    """The world of before is there, dark Region and all; the sensor starts the next attempt."""
    state = tmp_path / "state"
    with demo(state) as told:
        told.until(f'Started execution of step "{step}"')
        kill_everything(told, state)
    with demo(state, "--dev") as told:
        url = told.until(r"the local Regions of before are up at (http://[\d.:]+)")
        told.until("the platform is built already")
        deadline = time.monotonic() + PATIENCE
        while incident_state(url) != "settled":
            assert time.monotonic() < deadline, "".join(told.lines)
            time.sleep(0.5)
    calls = [CallRecord.from_json(line) for line in (state / FILE).read_text().splitlines()]
    once = Counter(call.operation for call in calls if call.operation in IRREVERSIBLE)
    assert once == dict.fromkeys(IRREVERSIBLE, 1)
