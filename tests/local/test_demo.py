import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from platform_pipelines.local import demo
from platform_pipelines.local.options import read, variables
from tests.local_world import PLATFORM

FREE = ("LOCAL_AWS_PORT", "LOCAL_DNS_PORT", "LOCAL_SERVICE_PORT", "DAGSTER_PORT")
CLUSTERS = ("LOCAL_KUBE_SEOUL_PORT", "LOCAL_KUBE_TOKYO_PORT")


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """The demo takes signals for itself; give them back."""
    before = {number: signal.getsignal(number) for number in demo.LEAVING}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A port that somebody else has; all of ours are free."""
    for variable in (*FREE, *CLUSTERS):
        monkeypatch.setenv(variable, "0")
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield int(other.getsockname()[1])


@pytest.mark.parametrize("variable", ["DAGSTER_PORT", "LOCAL_AWS_PORT", "LOCAL_KUBE_TOKYO_PORT"])
def test_a_port_that_is_taken_is_one_line_before_anything_is_started(
    variable: str,
    taken: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The line names the port; the state folder is not even made."""
    monkeypatch.setenv(variable, str(taken))
    state = tmp_path / "state"
    assert demo.main(["--dev", "--state", str(state), "--platform", str(PLATFORM)]) == 2
    told = capsys.readouterr().out
    assert re.fullmatch(f"DEV FAILED port {taken} on 127.0.0.1 cannot be used: .*\n", told)
    assert not state.exists()


def test_a_dagster_port_that_is_none_is_refused(
    taken: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With what is allowed."""
    monkeypatch.setenv("DAGSTER_PORT", "x")
    assert demo.main(["--platform", str(PLATFORM)]) == 2
    assert capsys.readouterr().out.startswith("DEMO FAILED DAGSTER_PORT: 'x'; allowed: a port")


def test_a_demo_on_time_that_stands_still_is_refused(
    taken: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It has many processes, and nobody among them would move time."""
    state = tmp_path / "state"
    options = ["--state", str(state), "--platform", str(PLATFORM), "--clock", "virtual"]
    assert demo.main(options) == 2
    assert capsys.readouterr().out.startswith("DEMO FAILED --clock: 'virtual'; allowed: real")
    assert not state.exists()


def test_the_ports_reach_the_local_regions_as_they_were_read() -> None:
    """What the stage gives to its server is what the user gave to the stage."""
    environ = {name: str(4000 + n) for n, name in enumerate((*FREE[:3], *CLUSTERS))}
    assert variables(read(["--platform", str(PLATFORM)], environ).ports) == environ
