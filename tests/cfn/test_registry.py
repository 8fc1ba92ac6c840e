"""The registry of stacks: what there is, in which order, with which inputs."""

import json
from typing import Any

import pytest

import cfn
from cfn import Unit
from platform_pipelines.model import Platform
from platform_pipelines.provisioning import inputs
from tests.cfn import platforms

PLATFORM = platforms.of_the_repository()
UNITS = cfn.units(PLATFORM)


def _template(platform: Platform, unit: Unit) -> Any:
    return json.loads(cfn.render(platform, unit))


def _unit(alias: str, name: str) -> Unit:
    return next(unit for unit in UNITS if unit.key == (alias, name))


def test_stacks_of_scope_once_are_in_home_and_all_others_in_both_regions() -> None:
    """The asset keys of the lineage."""
    once = {"ledger", "global_database", "dns"}
    each = {
        *("access", "alerts", "certificates", "cluster", "control", "database", "delivery"),
        *("drills", "entries", "files", "keys", "network", "registry", "secrets", "traffic"),
    }
    assert {unit.key for unit in UNITS} == {("seoul", name) for name in once | each} | {
        ("tokyo", name) for name in each
    }


def test_every_unit_comes_after_what_it_depends_on() -> None:
    """Applying in this order never waits for anything later."""
    done: set[tuple[str, str]] = set()
    for unit in UNITS:
        assert {other.key for other in cfn.dependencies(PLATFORM, unit)} <= done
        done.add(unit.key)


def test_the_ledger_is_first_and_nothing_depends_on_it() -> None:
    """The first apply makes it first; with home dark it must not block the living Region."""
    assert UNITS[0].key == ("seoul", "ledger")
    for unit in UNITS:
        assert ("seoul", "ledger") not in {one.key for one in cfn.dependencies(PLATFORM, unit)}


def test_the_joining_database_waits_for_the_first_one() -> None:
    """Global cluster and administrator, home cluster, other cluster: in this order."""
    needs = {unit.key for unit in cfn.dependencies(PLATFORM, _unit("tokyo", "database"))}
    assert {("seoul", "global_database"), ("seoul", "database"), ("tokyo", "network")} <= needs
    assert ("seoul", "secrets") in needs
    needs = {unit.key for unit in cfn.dependencies(PLATFORM, _unit("seoul", "database"))}
    assert ("tokyo", "database") not in needs
    assert ("seoul", "database") not in needs


def test_little_of_one_region_waits_for_the_other() -> None:
    """A dark Region blocks as little as possible: what joins, copies, or needs the one zone."""
    across = {
        unit.key
        for unit in UNITS
        for other in cfn.dependencies(PLATFORM, unit)
        if other.region != unit.region
    }
    assert across == {
        *(("tokyo", "database"), ("tokyo", "certificates"), ("seoul", "dns")),
        *(("seoul", "secrets"), ("tokyo", "secrets")),  # a copy is encrypted with the other's key
        *(("seoul", "entries"), ("tokyo", "entries")),  # of the other one's controllers
        *(("seoul", "alerts"), ("tokyo", "alerts")),  # lag is named after both file systems
    }


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: "-".join(unit.key))
def test_every_parameter_is_filled_by_an_output_of_a_dependency(unit: Unit) -> None:
    """The registry and the templates agree on names."""
    declared = _template(PLATFORM, unit).get("Parameters", {})
    assert declared.keys() == unit.stack.parameters.keys()
    before = {other.key: other for other in cfn.dependencies(PLATFORM, unit)}
    for output in unit.stack.parameters.values():
        source = before[inputs.source(PLATFORM, unit, output)]
        assert output.key in _template(PLATFORM, source)["Outputs"]


def test_rendered_has_every_unit_as_compact_json() -> None:
    """What is sent to CloudFormation has no blanks, and fits into a request."""
    texts = cfn.rendered(PLATFORM)
    assert texts.keys() == {unit.key for unit in UNITS}
    for text in texts.values():
        assert text == json.dumps(json.loads(text), separators=(",", ":"), sort_keys=True)
        assert len(text.encode()) < 51_200


def test_another_home_turns_the_once_stacks_around() -> None:
    """`home` decides where they live, and nothing else does."""
    turned = platforms.changed(home="tokyo")
    keys = {unit.key for unit in cfn.units(turned)}
    assert {("tokyo", "ledger"), ("tokyo", "dns"), ("tokyo", "global_database")} <= keys
    assert ("seoul", "ledger") not in keys


def test_a_platform_may_have_several_of_everything() -> None:
    """Lists, not singletons: two file systems, two databases, two services of one repository."""
    data = PLATFORM.model_dump(mode="json")
    services = [data["services"][0], data["services"][1] | {"repository": "peccy-web"}]
    platform = PLATFORM.model_copy(
        update={
            "file_systems": (
                *PLATFORM.file_systems,
                PLATFORM.file_systems[0].model_copy(update={"name": "web-cache"}),
            ),
            "databases": (
                *PLATFORM.databases,
                PLATFORM.databases[0].model_copy(update={"name": "orders"}),
            ),
            "services": tuple(
                service.model_copy(update={"repository": one["repository"]})
                for service, one in zip(PLATFORM.services, services, strict=True)
            ),
        }
    )
    resources = {
        unit.stack.name: _template(platform, unit)["Resources"] for unit in cfn.units(platform)
    }
    assert {"FileSystemPictures", "FileSystemWebCache"} <= resources["files"].keys()
    assert {"ClusterPeccy", "ClusterOrders"} <= resources["database"].keys()
    assert {"GlobalPeccy", "GlobalOrders"} <= resources["global_database"].keys()
    assert "RepositoryPeccyWeb" in resources["registry"]
    assert "RepositoryPeccyApp" not in resources["registry"]
