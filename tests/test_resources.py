from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterInstance, OpExecutionContext, job, op

from platform_pipelines.resources import LedgerResource, RegionsResource
from tests.local_world import LocalWorld

FILE = str(Path(__file__).parent.parent / "platform.yaml")


def _run(instance: DagsterInstance, seen: list[Any]) -> Any:
    @op
    def look(context: OpExecutionContext, regions: RegionsResource) -> None:
        seen.append((context.run_id, regions["tokyo"].name, regions.settings.controller))

    @job(resource_defs={"regions": RegionsResource(platform_file=FILE)})
    def looks() -> None:
        look()

    return looks.execute_in_process(instance=instance, raise_on_error=False)


def _environment(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]) -> None:
    for name in ("PLATFORM_TARGET", "PLATFORM_CONTROLLER", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)


def _failure(result: Any) -> str:
    return "\n".join(
        str(event.event_specific_data.error.to_string())
        for event in result.all_events
        if event.is_failure and getattr(event.event_specific_data, "error", None)
    )


def test_a_run_reads_its_environment_and_is_tagged(
    local_regions: LocalWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which world it acts on, and as who."""
    _environment(monkeypatch, local_regions.environment("tokyo"))
    seen: list[Any] = []
    with DagsterInstance.ephemeral() as instance:
        result = _run(instance, seen)
        assert result.success
        run = instance.get_run_by_id(result.run_id)
    assert seen == [(result.run_id, "ap-northeast-1", "tokyo")]
    assert run is not None
    assert {"target": "local", "controller": "tokyo"}.items() <= run.tags.items()


def test_credentials_of_another_account_stop_a_run(
    local_regions: LocalWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before any op."""
    environment = {**local_regions.environment(), "AWS_ACCESS_KEY_ID": "999999999999"}
    _environment(monkeypatch, environment)
    seen: list[Any] = []
    with DagsterInstance.ephemeral() as instance:
        result = _run(instance, seen)
    assert not result.success
    assert seen == []
    assert "The credentials are of account 999999999999" in _failure(result)


def test_a_run_without_target_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """The location loads without it; a run does not start."""
    _environment(monkeypatch, {})
    with DagsterInstance.ephemeral() as instance:
        result = _run(instance, [])
    assert "PLATFORM_TARGET is not set; set it to 'aws' or 'local'" in _failure(result)


def test_the_ledger_is_found_at_its_first_use(
    local_regions: LocalWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first apply runs before there is a table: making the resource asks nobody."""
    _environment(monkeypatch, local_regions.environment("tokyo"))
    found: list[Any] = []

    @op
    def use(ledger: LedgerResource) -> None:
        found.append(ledger.ledger.region.alias)
        found.append(ledger.ledger is ledger.ledger)

    regions = RegionsResource(platform_file=FILE)

    @job(resource_defs={"regions": regions, "ledger": LedgerResource(regions=regions)})
    def uses() -> None:
        use()

    with DagsterInstance.ephemeral() as instance:
        assert uses.execute_in_process(instance=instance).success
    assert found == ["tokyo", True]
