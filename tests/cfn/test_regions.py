"""Both Regions have the same templates but for values that are named here.

The names of a Region (its AWS name, zones, networks, alias) and of the other one are written as
words first; what still differs then must be in the allow-list.
"""

import ipaddress
import json
from typing import Any

import pytest

import cfn
from cfn import Scope, Unit
from platform_pipelines.model import Platform, Region
from tests.cfn import platforms

EACH = [stack.name for stack in cfn.STACKS if stack.scope is Scope.EACH]

STATEMENTS = "Properties/Policies/0/PolicyDocument/Statement"
# Instances are counted by Region; only the cluster that was born first has credentials, and they are
# made in home. The traffic object is in the other Region's bucket alone. AWS takes one configuration
# of a Slack channel, in the Region that is applied last.
ALLOWED = {
    "access": {
        f"/Resources/RoleDagster{role}/{STATEMENTS}/{statement}/Resource/0"
        for role, statement in (("Apply", "TrafficBucket"), ("Failover", "TrafficObject"))
    },
    "alerts": {"/Resources/Chat", "/Resources/ChatRole"},
    "secrets": {"/Resources/AdminPeccy"},
    "database": {
        "/Resources/InstancePeccy3",
        "/Resources/ClusterPeccy/Properties/MasterUsername",
        "/Resources/ClusterPeccy/Properties/MasterUserPassword",
    },
}


def _words(platform: Platform, region: Region) -> dict[str, str]:
    """What may stand for a Region, and the word that takes its place."""
    other = platform.other(region.alias)
    network = ipaddress.IPv4Network(region.cidr)
    parts = list(network.subnets(prefixlen_diff=2)) + list(network.subnets(prefixlen_diff=4))
    return {
        **{zone: f"<zone {number}>" for number, zone in enumerate(region.zones)},
        **{str(part): f"<network {number}>" for number, part in enumerate(parts)},
        region.cidr: "<network>",
        other.name: "<other Region>",
        region.name: "<Region>",
        other.alias: "<other alias>",
        region.alias: "<alias>",
    }


def _neutral(platform: Platform, name: str, region: Region) -> Any:
    stack = next(stack for stack in cfn.STACKS if stack.name == name)
    text = cfn.render(platform, Unit(stack=stack, region=region))
    for word, place in _words(platform, region).items():
        text = text.replace(word, place)
    return json.loads(text)


def _differences(one: Any, two: Any, path: str = "") -> set[str]:
    if isinstance(one, dict) and isinstance(two, dict):
        keys = one.keys() | two.keys()
        missing = object()
        return {
            found
            for key in keys
            for found in _differences(one.get(key, missing), two.get(key, missing), f"{path}/{key}")
        }
    if isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        pairs = zip(_ordered(one, path), _ordered(two, path), strict=True)
        return {
            found
            for number, (item, counterpart) in enumerate(pairs)
            for found in _differences(item, counterpart, f"{path}/{_called(item, number)}")
        }
    return set() if one == two else {path}


def _called(item: Any, number: int) -> str:
    """A policy's statement by its name, everything else by its number."""
    return str(item.get("Sid", number) if isinstance(item, dict) else number)


def _ordered(items: list[Any], path: str) -> list[Any]:
    """In a policy, a list of texts is a set; everywhere else the order may mean something."""
    texts = all(isinstance(item, str) for item in items)
    return sorted(items) if texts and "Policies" in path else items


@pytest.mark.parametrize("name", EACH)
def test_templates_differ_only_in_values_of_the_region(name: str) -> None:
    """A new difference is a decision: name it in the allow-list, or take it away."""
    platform = platforms.of_the_repository()
    home, other = platform.home_region, platform.other(platform.home)
    found = _differences(_neutral(platform, name, home), _neutral(platform, name, other))
    assert found == ALLOWED.get(name, set())


def test_both_regions_may_have_equal_instance_counts() -> None:
    """Then only the credentials of the first-born cluster differ."""
    databases = [
        {
            "name": "peccy",
            "engine_version": "8.0.mysql_aurora.3.10.0",
            "instance_class": "db.r6g.large",
            "instances": {"seoul": 2, "tokyo": 2},
        }
    ]
    platform = platforms.changed(databases=databases)
    home, other = platform.home_region, platform.other(platform.home)
    found = _differences(
        _neutral(platform, "database", home), _neutral(platform, "database", other)
    )
    assert {path.rpartition("/")[2] for path in found} == {"MasterUsername", "MasterUserPassword"}
