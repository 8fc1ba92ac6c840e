import copy
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from platform_pipelines import model
from platform_pipelines.errors import InvalidPlatformFile, UnknownRegion
from platform_pipelines.model import Approval, Platform, Strategy

FILE = Path(__file__).parent.parent / "platform.yaml"
DATA: dict[str, Any] = yaml.safe_load(FILE.read_text())


def _changed(change: Callable[[dict[str, Any]], Any]) -> str:
    data = copy.deepcopy(DATA)
    change(data)
    return yaml.safe_dump(data)


def _mistakes(change: Callable[[dict[str, Any]], Any]) -> list[str]:
    with pytest.raises(InvalidPlatformFile) as refused:
        model.parse(_changed(change))
    return refused.value.mistakes


@pytest.fixture
def platform() -> Platform:
    """The file that comes with the project."""
    return model.load(FILE)


# The file that comes with the project


def test_the_default_file_is_peccys(platform: Platform) -> None:
    """Two Regions, three node groups, the objectives of the platform team."""
    assert [(one.alias, one.name) for one in platform.regions] == [
        ("seoul", "ap-northeast-2"),
        ("tokyo", "ap-northeast-1"),
    ]
    assert platform.home_region.alias == "seoul"
    assert platform.witness == "ap-northeast-3"
    counts = {
        one.name: (one.instance_types[0], one.active, one.standby) for one in platform.node_groups
    }
    assert counts == {
        "manage": ("t3.xlarge", 3, 3),
        "web": ("t3.medium", 6, 0),
        "app": ("t3.medium", 6, 0),
    }
    assert platform.objectives.region_down.rpo == timedelta(minutes=10)
    assert platform.objectives.region_down.rto == timedelta(minutes=30)
    assert platform.objectives.zone_down.rpo == timedelta()


def test_the_policy_has_its_defaults(platform: Platform) -> None:
    """Written down in the file, and the same without it."""
    bare = model.parse(_changed(lambda data: data.pop("failover")))
    assert bare.failover == platform.failover
    assert bare.failover.approval is Approval.WHEN_UNSAFE
    assert bare.failover.strategy is Strategy.SEQUENCE
    assert bare.failover.hold == timedelta(seconds=30)


def test_a_region_is_found_by_alias_and_by_name(platform: Platform) -> None:
    """And the other one is the other one."""
    assert platform.region("tokyo") == platform.region("ap-northeast-1")
    assert platform.other("tokyo").alias == "seoul"
    assert platform.other("ap-northeast-2").alias == "tokyo"


def test_an_unknown_region_is_refused_with_the_known_ones(platform: Platform) -> None:
    """The text says what there is."""
    with pytest.raises(UnknownRegion) as refused:
        platform.region("osaka")
    assert str(refused.value) == "There is no Region 'osaka'; platform.yaml has seoul, tokyo."


def test_names_in_aws_are_predictable(platform: Platform) -> None:
    """Nobody has to ask AWS for them."""
    tokyo = platform.region("tokyo")
    assert platform.stack_name("global_database") == "peccy-global-database"
    assert platform.cluster_name(tokyo) == "peccy-tokyo"
    assert platform.db_cluster_id(platform.databases[0], tokyo) == "peccy-peccy-tokyo"
    assert platform.traffic_bucket(tokyo) == "peccy-traffic-111122223333-ap-northeast-1"
    assert platform.ledger_table == "peccy-ledger"
    assert platform.signal_host(tokyo) == "signal-tokyo.peccy.example.com"
    assert platform.services[1].regional_host(tokyo) == "tokyo.api.peccy.example.com"
    assert platform.registry_host(tokyo) == "111122223333.dkr.ecr.ap-northeast-1.amazonaws.com"


def test_a_platform_cannot_be_changed(platform: Platform) -> None:
    """It is read once, and is a value from then on."""
    with pytest.raises(Exception, match="frozen"):
        platform.home = "tokyo"  # type: ignore[misc]  # that is what is tried


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("20m", 1200), ("26h", 93600), ("1h30m", 5400), ("0s", 0), ("1h0m5s", 3605)],
)
def test_durations_are_written_as_people_do(text: str, seconds: int) -> None:
    """Hours, minutes, seconds."""
    parsed = model.parse(_changed(lambda data: data["failover"].update(cooldown=text)))
    assert parsed.failover.cooldown == timedelta(seconds=seconds)


# Mistakes


@pytest.mark.parametrize(
    ("change", "path", "parts"),
    [
        (lambda d: d.pop("account"), "account", ["is missing"]),
        (lambda d: d.update(account=111122223333), "account", ["111122223333", "string"]),
        (lambda d: d.update(account="123"), "account", ["'123'", "allowed"]),
        (lambda d: d.update(home="osaka"), "home", ["'osaka'", "allowed: seoul, tokyo"]),
        (lambda d: d.update(witness="ap-northeast-1"), "witness", ["a third one"]),
        (lambda d: d.update(colour="red"), "colour", ["'red' is no setting of ours"]),
        (lambda d: d["regions"].pop(), "regions", ["at least 2"]),
        (lambda d: d["regions"][0].update(name="seoul"), "regions[0].name", ["'seoul'", "allowed"]),
        (lambda d: d["regions"][1].update(alias="seoul"), "regions[].alias", ["'seoul'", "unique"]),
        (
            lambda d: d["regions"][1].update(cidr="10.10.128.0/17"),
            "regions[1].cidr",
            ["overlaps regions[0].cidr"],
        ),
        (lambda d: d["regions"][0].update(cidr="10.0.0.0/8"), "regions[0].cidr", ["/16 to /20"]),
        (lambda d: d["regions"][0].update(cidr="ten"), "regions[0].cidr", ["'ten'", "/16 to /20"]),
        (lambda d: d["regions"][0]["zones"].pop(), "regions[0].zones", ["at least 3"]),
        (
            lambda d: d["regions"][0].update(zones=["ap-northeast-1a"] * 3),
            "regions[0].zones",
            ["three different zones of ap-northeast-2"],
        ),
        (lambda d: d["regions"][0].update(cidr="10.10.1.0/16"), "regions[0].cidr", ["host bits 0"]),
        (lambda d: d["regions"][0].update(alias="external"), "regions[0].alias", ["none of"]),
        (lambda d: d["node_groups"].pop(0), "node_groups", ["there is no 'manage'"]),
        (lambda d: d["node_groups"][0].update(standby=0), "node_groups", ["at least 1"]),
        (lambda d: d["services"][1].pop("verify"), "services", ["none has `verify`"]),
        (lambda d: d["failover"].update(hold="0s"), "failover.hold", ["allowed"]),
        (
            lambda d: d["failover"].update(heartbeat_dead="5s"),
            "failover.heartbeat_dead",
            ["allowed"],
        ),
        (lambda d: d["failover"].update(lease_dead="1s"), "failover.lease_dead", ["allowed"]),
        (lambda d: d["failover"].update(look_timeout="1m"), "failover.look_timeout", ["allowed"]),
        (
            lambda d: d["node_groups"][1].update(maximum=3),
            "node_groups[1].active",
            ["6", "at most node_groups[1].maximum, which is 3"],
        ),
        (
            lambda d: d["node_groups"][1].update(standby=13),
            "node_groups[1].standby",
            ["13", "which is 12"],
        ),
        (
            lambda d: d["node_groups"][0].update(active=-1),
            "node_groups[0].active",
            ["-1", "allowed"],
        ),
        (lambda d: d["node_groups"][2].update(name="web"), "node_groups[].name", ["unique"]),
        (
            lambda d: d["services"][0].update(host="peccy.example.com"),
            "services[0].host",
            ["not peccy.example.com itself"],
        ),
        (
            lambda d: d["services"][0].update(host="www.elsewhere.org"),
            "services[0].host",
            ["a name below peccy.example.com"],
        ),
        (
            lambda d: d["services"][0].update(node_group="batch"),
            "services[0].node_group",
            ["'batch'", "allowed: manage, web, app"],
        ),
        (
            lambda d: d["services"][0].update(health_path="livez"),
            "services[0].health_path",
            ["'livez'"],
        ),
        (
            lambda d: d["databases"][0].update(instance_class="db.t4g.medium"),
            "databases[0].instance_class",
            ["'db.t4g.medium'", "no burstable class"],
        ),
        (
            lambda d: d["databases"][0]["instances"].pop("tokyo"),
            "databases[0].instances",
            ["one count for each of seoul, tokyo"],
        ),
        (
            lambda d: d["databases"][0]["instances"].update(tokyo=1),
            "databases[0].instances.tokyo",
            ["1", "allowed"],
        ),
        (lambda d: d["failover"].update(hold="soon"), "failover.hold", ["'soon'", "like 30s, 20m"]),
        (lambda d: d["failover"].update(hold=30), "failover.hold", ["30", "like 30s, 20m"]),
        (
            lambda d: d["failover"].update(approval="sometimes"),
            "failover.approval",
            ["'sometimes'", "'never', 'when_unsafe' or 'always'"],
        ),
        (lambda d: d["objectives"].pop("region_down"), "objectives.region_down", ["is missing"]),
        (
            lambda d: d.update(witness="us-east-1"),
            "witness",
            ["'us-east-1'", "three of one set", "ap-northeast-1, ap-northeast-2, ap-northeast-3"],
        ),
        (
            lambda d: (
                d["databases"][0].update(name="a" * 32) or d["regions"][0].update(alias="b" * 32)
            ),
            "databases[0].name",
            ["at most 17 characters"],
        ),
        (lambda d: d["databases"][0].update(name="a--b"), "databases[0].name", ["'a--b'"]),
        (lambda d: d.update(platform="x" * 21), "platform", ["at most 20 characters"]),
        (
            lambda d: d["services"][0].update(host=f"{'w' * 47}.peccy.example.com"),
            "services[0].host",
            ["at most 64 characters"],
        ),
    ],
)
def test_a_mistake_is_named_with_path_value_and_what_is_allowed(
    change: Callable[[dict[str, Any]], Any], path: str, parts: list[str]
) -> None:
    """One line, and only one, unless two rules see it."""
    found = [one for one in _mistakes(change) if one.startswith(f"{path}:")]
    assert len(found) == 1
    for part in parts:
        assert part in found[0]


def test_five_mistakes_are_reported_as_five() -> None:
    """Of different kinds, at once, in one text that says what to do."""

    def change(data: dict[str, Any]) -> None:
        data["home"] = "osaka"
        data["node_groups"][1]["maximum"] = 3
        data["regions"][1]["cidr"] = "10.10.0.0/16"
        data["failover"]["hold"] = "soon"
        data["databases"][0]["instance_class"] = "db.t3.medium"

    with pytest.raises(InvalidPlatformFile) as refused:
        model.parse(_changed(change))
    text = str(refused.value)
    assert len(refused.value.mistakes) == 5
    assert text.startswith("platform.yaml has 5 mistakes:\n")
    assert text.endswith("Correct the file and load it again.")
    for path in ("home", "node_groups[1]", "regions[1].cidr", "failover.hold", "databases[0]"):
        assert f"\n  - {path}" in text


def test_rules_speak_although_a_value_has_the_wrong_type() -> None:
    """What cannot be judged is passed over; the rest is."""

    def change(data: dict[str, Any]) -> None:
        data["services"] = "none"
        data["node_groups"][1] = {"name": "web", "active": "six", "maximum": 3, "standby": 4}

    found = "\n".join(_mistakes(change))
    for part in ("services: 'none'", "node_groups[1].active: 'six'", "node_groups[1].standby: 4"):
        assert part in found


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "it holds NoneType; allowed: a mapping"),
        ("- seoul\n- tokyo\n", "it holds list"),
        ("platform: [", "it is not YAML"),
        ("!!python/object:os.system {}", "it is not YAML"),
    ],
)
def test_what_is_no_mapping_is_refused(text: str, part: str) -> None:
    """Also an empty file, and YAML that wants to run something."""
    with pytest.raises(InvalidPlatformFile) as refused:
        model.parse(text)
    assert len(refused.value.mistakes) == 1
    assert part in refused.value.mistakes[0]


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    """Create it, or name another."""
    with pytest.raises(InvalidPlatformFile) as refused:
        model.load(tmp_path / "platform.yaml")
    assert "has 1 mistake:" in str(refused.value)
    assert "name another with PLATFORM_FILE" in str(refused.value)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """The system's own reason is kept."""
    with pytest.raises(InvalidPlatformFile, match="it cannot be read: Is a directory"):
        model.load(tmp_path)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """Somebody named an archive."""
    file = tmp_path / "platform.yaml"
    file.write_bytes(b"\x1f\x8b\x08\x00\xff")
    with pytest.raises(InvalidPlatformFile, match="it is not UTF-8 text"):
        model.load(file)
