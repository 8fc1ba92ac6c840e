"""The command line and the environment of the local Regions."""

import subprocess
import sys
from pathlib import Path

import pytest

from platform_pipelines.local import options, sockets, state
from platform_pipelines.local.options import BadOption
from platform_pipelines.local.world import Ports
from tests.local_world import ANY_PORT, PLATFORM, ROOT

GIVEN = ["--platform", str(PLATFORM)]


def test_without_options_the_documented_ports_speed_and_folder_hold() -> None:
    """The defaults of the documentation."""
    settings = options.read(GIVEN, {})
    assert settings.ports == Ports(
        aws=4566, kube={"seoul": 6443, "tokyo": 6444}, dns=10053, service=8080
    )
    assert (settings.speed, settings.state, settings.reset) == (20.0, Path(".local"), False)


def test_each_port_comes_from_its_variable() -> None:
    """A cluster's variable carries the Region's alias."""
    environ = {
        "LOCAL_AWS_PORT": "1",
        "LOCAL_KUBE_SEOUL_PORT": "2",
        "LOCAL_KUBE_TOKYO_PORT": "3",
        "LOCAL_DNS_PORT": "4",
        "LOCAL_SERVICE_PORT": "5",
    }
    expected = Ports(aws=1, kube={"seoul": 2, "tokyo": 3}, dns=4, service=5)
    assert options.read(GIVEN, environ).ports == expected


@pytest.mark.parametrize("value", ["", "x", "-1", "65536", "4566.0"])
def test_a_port_that_is_none_is_refused_with_the_variable_and_what_is_allowed(value: str) -> None:
    """The message names the variable and the value."""
    with pytest.raises(BadOption) as refused:
        options.read(GIVEN, {"LOCAL_DNS_PORT": value})
    assert str(refused.value).startswith(f"LOCAL_DNS_PORT: {value!r}; allowed: a port")


@pytest.mark.parametrize("speed", ["0", "-1", "1001", "nan", "inf"])
def test_a_speed_out_of_range_is_refused(speed: str) -> None:
    """Time must go on, and not faster than timers can follow."""
    with pytest.raises(BadOption, match="--speed"):
        options.read([*GIVEN, "--speed", speed], {})


def test_durations_are_read_from_a_file_and_others_keep_their_defaults(tmp_path: Path) -> None:
    """A file names only what it changes."""
    file = tmp_path / "durations.yaml"
    file.write_text("aurora_failover: 5\n")
    durations = options.read([*GIVEN, "--durations", str(file)], {}).durations
    assert (durations.aurora_failover, durations.nodes_joining) == (5, 150)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("aurora: 5", "aurora: Extra inputs"),
        ("aurora_failover: -1", "aurora_failover"),
        ("aurora_failover: .inf", "aurora_failover"),
        ("a: [", "YAML"),
    ],
)
def test_a_mistake_in_the_durations_is_named(tmp_path: Path, text: str, told: str) -> None:
    """An unknown name, an impossible value, and what is no YAML."""
    file = tmp_path / "durations.yaml"
    file.write_text(text)
    with pytest.raises(BadOption, match=told):
        options.read([*GIVEN, "--durations", str(file)], {})


def test_durations_that_are_no_text_are_refused(tmp_path: Path) -> None:
    """In one line, as everything else."""
    file = tmp_path / "durations.yaml"
    file.write_bytes(b"\xff")
    with pytest.raises(BadOption, match="YAML"):
        options.read([*GIVEN, "--durations", str(file)], {})


def test_a_folder_that_another_server_uses_is_refused_until_that_one_ends(tmp_path: Path) -> None:
    """Two servers would overwrite each other's world; --reset would take it away."""
    with state.prepare(tmp_path, reset=False):
        ended = _start(["--state", str(tmp_path), "--reset"], ANY_PORT)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert "another server uses it" in ended.stderr
    state.prepare(tmp_path, reset=False).close()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--speed", "fast"],
        ["--clock", "sundial"],
        ["--nonsense"],
        ["--platform", "/no/such/platform.yaml"],
        ["--durations", "/no/such/file"],
    ],
)
def test_a_bad_option_is_one_line_and_exit_status_2(arguments: list[str], tmp_path: Path) -> None:
    """As promised to whoever scripts the server."""
    ended = _start([*arguments, "--state", str(tmp_path)], ANY_PORT)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1
    assert arguments[-1] in ended.stderr


def test_a_port_that_is_taken_is_one_line_and_exit_status_2(tmp_path: Path) -> None:
    """Nothing was written to the state folder then."""
    taken = sockets.bind(Ports(aws=0, kube={}, dns=0, service=0))
    state = tmp_path / "state"
    environ = {**ANY_PORT, "LOCAL_SERVICE_PORT": str(taken.ports.service)}
    ended = _start(["--state", str(state)], environ)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1
    assert f"port {taken.ports.service} on 127.0.0.1 cannot be used" in ended.stderr
    assert not state.exists()


def _start(arguments: list[str], environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    clusters = {"LOCAL_KUBE_SEOUL_PORT": "0", "LOCAL_KUBE_TOKYO_PORT": "0"}
    return subprocess.run(
        [sys.executable, "-m", "platform_pipelines.local", *arguments],
        cwd=ROOT,
        env={**environ, **clusters, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
