import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest
from dagster import (
    DagsterInstance,
    DefaultSensorStatus,
    RunRequest,
    SensorDefinition,
    SensorResult,
    SkipReason,
    build_sensor_context,
)

from platform_pipelines.failover import sensors
from platform_pipelines.failover.watcher import Launch
from tests.fakes.failover_world import PLATFORM, World


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    """An instance without runs."""
    with DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def sensor() -> SensorDefinition:
    """The sensor as the location defines it, with short ticks."""
    return sensors.build(PLATFORM, tick_s=0.0)


def _tick(sensor: SensorDefinition, instance: DagsterInstance, cursor: str | None = None) -> Any:
    with build_sensor_context(instance=instance, cursor=cursor) as context:
        return sensor(context)


def _without(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PLATFORM_TARGET", "PLATFORM_CONTROLLER", "PLATFORM_LOCAL_URL", "PLATFORM_CLOCK"):
        monkeypatch.delenv(name, raising=False)


def test_it_runs_by_default_and_starts_region_failover(sensor: SensorDefinition) -> None:
    """Nobody has to switch it on."""
    assert sensor.name == "region_outage_sensor"
    assert sensor.default_status is DefaultSensorStatus.RUNNING
    assert sensor.job_name == "region_failover"


@pytest.mark.parametrize(
    ("environment", "text"),
    [
        ({}, "PLATFORM_TARGET is not set; set it to 'aws' or 'local'"),
        ({"PLATFORM_TARGET": "local"}, "PLATFORM_CONTROLLER is not set; set it to one of 'seoul'"),
        ({"PLATFORM_TARGET": "mars"}, "PLATFORM_TARGET is 'mars'"),
    ],
)
def test_without_environment_it_skips_and_says_what_to_set(
    sensor: SensorDefinition,
    instance: DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    text: str,
) -> None:
    """The location loads, the sensor does nothing, the UI shows why."""
    _without(monkeypatch)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    skipped = _tick(sensor, instance)
    assert isinstance(skipped, SkipReason)
    assert skipped.skip_message is not None
    assert text in skipped.skip_message


def test_without_local_regions_it_keeps_its_cursor(
    sensor: SensorDefinition, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing answers: it decides nothing and forgets nothing."""
    _without(monkeypatch)
    monkeypatch.setenv("PLATFORM_TARGET", "local")
    monkeypatch.setenv("PLATFORM_CONTROLLER", "external")
    monkeypatch.setenv("PLATFORM_LOCAL_URL", "http://127.0.0.1:9")
    result = _tick(sensor, instance, cursor='{"lease": {}}')
    assert isinstance(result, SensorResult)
    assert result.skip_reason is not None
    assert "The ledger cannot be read" in str(result.skip_reason)
    assert result.cursor is not None
    assert json.loads(result.cursor) == {"lease": {}}


def test_a_launch_has_one_run_key_per_attempt(world: World) -> None:
    """So that Dagster starts each attempt once; the tags are what the sensor looks for."""
    incident = world.propose()
    request = sensors._request(Launch(incident=incident, attempt=2))
    assert isinstance(request, RunRequest)
    assert request.run_key == f"{incident.id}:2"
    assert request.tags["incident"] == incident.id
    assert request.tags["attempt"] == "2"
    config = request.run_config["ops"]["open_incident"]["config"]
    assert config == {"target": "tokyo", "reason": "seoul is down", "strategy": "sequence"}


def test_it_finds_the_attempts_of_an_incident(
    instance: DagsterInstance, sensor: SensorDefinition
) -> None:
    """Also the run of a person, which has no number."""
    from dagster import DagsterRun, DagsterRunStatus

    for run_id, status, tags in (
        ("a", DagsterRunStatus.FAILURE, {"incident": "inc-1", "attempt": "1"}),
        ("b", DagsterRunStatus.STARTING, {"incident": "inc-1", "attempt": "2"}),
        ("c", DagsterRunStatus.STARTED, {"incident": "inc-1"}),
        ("d", DagsterRunStatus.STARTED, {"incident": "inc-2", "attempt": "9"}),
    ):
        instance.add_run(DagsterRun(job_name="x", run_id=run_id, status=status, tags=tags))
    with build_sensor_context(instance=instance) as context:
        found = sensors._attempts(context, "inc-1")
    assert sorted(tuple(asdict(one).values()) for one in found) == [
        (1, False, False),
        (1, True, False),
        (2, False, True),
    ]
