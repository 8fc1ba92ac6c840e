"""The six edits of a template that would work against a failover, through the whole plan."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from troposphere import Export, ImportValue, Output, Ref, Template

import cfn
from cfn import Unit
from cfn.names import logical
from platform_pipelines.aws import resource_drift
from platform_pipelines.aws.change_sets import PropertyChange, ResourceChange
from platform_pipelines.aws.resource_drift import Reality
from platform_pipelines.model import Platform, Region
from platform_pipelines.provisioning import dangers
from platform_pipelines.provisioning.apply import apply
from platform_pipelines.provisioning.outcome import Ending, Outcome
from platform_pipelines.provisioning.plan import plan
from platform_pipelines.provisioning.planned import Action, UnitPlan
from tests.fakes.calls import client_error
from tests.provisioning.world import GLOBAL, PLATFORM, World

Edit = Callable[[Template], None]
Key = tuple[str, str]
DATABASE = PLATFORM.databases[0].name
CLUSTER = logical("Cluster", DATABASE)
GLOBAL_CLUSTER = logical("Global", DATABASE)
FILES = "FileSystemPictures"


@pytest.fixture
def applied() -> World:
    """Two Regions in which everything has been applied."""
    world = World()
    world.apply()
    world.log.clear()
    return world


def edited(platform: Platform, key: Key, edit: Edit) -> tuple[Unit, ...]:
    """The units, one of them as if somebody had edited its template in cfn/."""
    return tuple(_edited(one, edit) if one.key == key else one for one in cfn.units(platform))


def _edited(unit: Unit, edit: Edit) -> Unit:
    def build(platform: Platform, region: Region) -> Template:
        template = unit.stack.build(platform, region)
        edit(template)
        return template

    return replace(unit, stack=replace(unit.stack, build=build))


def with_property(logical_id: str, name: str, value: Any) -> Edit:
    """A property set; with None, taken out."""

    def edit(template: Template) -> None:
        properties = template.resources[logical_id].properties
        if value is None:
            del properties[name]
        else:
            properties[name] = value

    return edit


def planned(world: World, key: Key, edit: Edit) -> UnitPlan:
    """What the whole plan says of the edited unit, having changed nothing."""
    found = plan(world.run(), edited(world.platform, key, edit))
    assert world.open_change_sets() == []
    assert world.calls("ExecuteChangeSet") == []
    others = {one.action for one in found.units if one.key != key}
    assert others == {Action.NOTHING}
    return next(one for one in found.units if one.key == key)


def brought(world: World, key: Key, edit: Edit) -> Outcome:
    """How applying the edited unit ends."""
    ended: list[Outcome] = []
    units = [one for one in edited(world.platform, key, edit) if one.key == key]
    apply(world.run(), units, ended.append)
    return ended[0]


def refused(world: World, key: Key, edit: Edit, *texts: str) -> str:
    """The reason for which plan and apply both refuse, with nothing changed."""
    found = planned(world, key, edit)
    assert found.action is Action.REFUSED
    outcome = brought(world, key, edit)
    assert outcome.ending is Ending.FAILED
    assert outcome.reason == found.reason
    assert world.calls("ExecuteChangeSet") == []
    for text in (f"{key[0]}/{key[1]} would work against a failover", *texts):
        assert text in found.reason
    return found.reason


# 1


def test_an_edit_never_undoes_what_was_changed_outside_of_cloudformation(applied: World) -> None:
    """Somebody raised the retention by hand; an edit of something else would lower it again."""
    applied.cloudformation["tokyo"].drifts(
        "peccy-database", CLUSTER, BackupRetentionPeriod=35, DeletionProtection=False
    )
    reason = refused(
        applied,
        ("tokyo", "database"),
        with_property(CLUSTER, "PreferredBackupWindow", "17:00-18:00"),
        "was changed outside of CloudFormation",
        "BackupRetentionPeriod is 35, and the template would set it back to 7",
        "DeletionProtection is false",
        "write 35 in cfn/",
    )
    assert CLUSTER in reason


# 2


def test_a_global_cluster_never_names_its_source(applied: World) -> None:
    """It reads back as the writer of the day: "correcting" it replaces the global cluster."""
    source = f"arn:aws:rds:ap-northeast-1:{PLATFORM.account}:cluster:{GLOBAL}-tokyo"
    refused(
        applied,
        ("seoul", "global_database"),
        with_property(GLOBAL_CLUSTER, "SourceDBClusterIdentifier", source),
        f"{GLOBAL_CLUSTER} has SourceDBClusterIdentifier",
        "CloudFormation would replace the global cluster",
        "Leave it out: the DB clusters join by GlobalClusterIdentifier",
    )


# 3


def test_a_db_cluster_never_leaves_its_global_cluster(applied: World) -> None:
    """Without the property CloudFormation detaches and promotes it: two writers."""
    refused(
        applied,
        ("tokyo", "database"),
        with_property(CLUSTER, "GlobalClusterIdentifier", None),
        f"{CLUSTER} has no GlobalClusterIdentifier",
        "would detach it from its global cluster and promote it",
        f"Set it to {GLOBAL}",
    )


# 4


def test_replication_of_files_is_in_no_template(applied: World) -> None:
    """After a failover it could start again over what Tokyo has written."""
    refused(
        applied,
        ("seoul", "files"),
        with_property(
            FILES,
            "ReplicationConfiguration",
            {"ReplicationDestinations": [{"Region": "ap-northeast-1", "FileSystemId": "fs-1"}]},
        ),
        f"{FILES} has ReplicationConfiguration",
        "over what the other Region has written since",
        "converge_roles starts replication, reprotect turns it around",
    )


# 5


def test_node_counts_are_in_no_template(applied: World) -> None:
    """The next edit of the group would take the nodes of whoever has taken over."""
    refused(
        applied,
        ("tokyo", "cluster"),
        with_property(
            "NodeGroupWeb", "ScalingConfig", {"MinSize": 0, "DesiredSize": 0, "MaxSize": 12}
        ),
        "NodeGroupWeb has ScalingConfig",
        "would lose its nodes",
        "converge_roles and the failover set counts",
    )


# 6


def _by_role(template: Template) -> None:
    """Tokyo is active today, so somebody makes its records the primary ones."""
    for name in _records(template):
        properties = template.resources[name].properties
        properties["Failover"] = {"PRIMARY": "SECONDARY", "SECONDARY": "PRIMARY"}[
            properties["Failover"]
        ]


def _records(template: Template) -> list[str]:
    return [name for name in template.resources if name.startswith("Record")]


def test_records_follow_regions_and_never_roles(applied: World) -> None:
    """Home is PRIMARY for ever; who is active is said by the traffic object alone."""
    refused(
        applied,
        ("seoul", "dns"),
        _by_role,
        "is SECONDARY instead of PRIMARY: PRIMARY is home (seoul) for ever",
        "traffic moves by the traffic object only",
    )


def _reads_elsewhere(template: Template) -> None:
    template.resources[_records(template)[0]].properties["ResourceRecords"] = [
        ImportValue("peccy-active-load-balancer")
    ]


def _role_names(template: Template) -> None:
    template.resources[_records(template)[0]].properties["SetIdentifier"] = "primary"


def _endpoint_check(template: Template) -> None:
    template.resources[_records(template)[0]].properties["HealthCheckId"] = Ref("SignalCheckSeoul")


def _not_inverted(template: Template) -> None:
    config = template.resources["TrafficCheckSeoul"].properties["HealthCheckConfig"]
    config.properties["Inverted"] = False


def _only_home(template: Template) -> None:
    for name in [one for one in _records(template) if one.endswith("Tokyo")]:
        del template.resources[name]


def _exported(template: Template) -> None:
    template.outputs["Zone"] = Output("Zone", Value=Ref("Zone"), Export=Export("peccy-zone"))


@pytest.mark.parametrize(
    ("edit", "text"),
    [
        (_reads_elsewhere, "imports an exported value"),
        (_reads_elsewhere, "does not answer seoul."),
        (_role_names, "is keyed by 'primary' and not by its Region (seoul or tokyo)"),
        (_role_names, "has no record for seoul"),
        (_endpoint_check, "does not follow the traffic object"),
        (_not_inverted, "TrafficCheckSeoul is not inverted"),
        (_only_home, "has no record for tokyo"),
        (_exported, "output Zone is exported"),
    ],
)
def test_each_other_way_to_tie_records_to_a_role(applied: World, edit: Edit, text: str) -> None:
    """Values from other stacks, names of roles, checks of endpoints, half of a pair."""
    refused(applied, ("seoul", "dns"), edit, text)


# And their neighbours


def test_the_templates_as_they_are_hold_no_danger() -> None:
    """None of our own units is refused."""
    for unit in cfn.units(PLATFORM):
        template = unit.stack.build(PLATFORM, unit.region).to_dict()
        assert dangers.find(PLATFORM, unit, template, ()) == ()


@pytest.mark.parametrize(
    ("key", "logical_id", "name", "value", "text"),
    [
        (
            ("tokyo", "files"),
            FILES,
            "FileSystemProtection",
            {"ReplicationOverwriteProtection": "ENABLED"},
            "make the file system that is in use read-only",
        ),
        (
            ("tokyo", "database"),
            CLUSTER,
            "GlobalClusterIdentifier",
            "peccy-other",
            f"{CLUSTER} would join peccy-other",
        ),
        (
            ("seoul", "global_database"),
            GLOBAL_CLUSTER,
            "StorageEncrypted",
            False,
            "would be replaced (StorageEncrypted)",
        ),
    ],
)
def test_what_comes_to_the_same_is_refused_too(
    applied: World, key: Key, logical_id: str, name: str, value: Any, text: str
) -> None:
    """Protection, another global cluster, a new global cluster for another reason."""
    refused(applied, key, with_property(logical_id, name, value), text)


def test_a_danger_is_seen_before_anything_is_asked(applied: World) -> None:
    """A template that is dangerous by itself costs no change set."""
    edit = with_property("NodeGroupApp", "ScalingConfig", {"MinSize": 1})
    planned(applied, ("seoul", "cluster"), edit)
    assert applied.calls("CreateChangeSet") == []


def test_a_danger_of_one_stack_stops_only_what_needs_it(applied: World) -> None:
    """The reason names the stack, and the others are applied."""
    ended: list[Outcome] = []
    edit = with_property("NodeGroupApp", "ScalingConfig", {"MinSize": 1})
    apply(applied.run(), edited(applied.platform, ("tokyo", "cluster"), edit), ended.append)
    by_key = {one.key: one.ending for one in ended}
    assert by_key["tokyo", "cluster"] is Ending.FAILED
    assert by_key["tokyo", "files"] is Ending.BLOCKED
    assert by_key["seoul", "cluster"] is Ending.UNCHANGED


def test_a_dangerous_first_apply_is_refused_as_well() -> None:
    """A new platform may not be born with it."""
    world = World()
    world.apply(("seoul", "ledger"))
    edit = with_property(FILES, "ReplicationConfiguration", {"ReplicationDestinations": []})
    found = plan(world.run(), edited(world.platform, ("tokyo", "files"), edit))
    unit = next(one for one in found.units if one.key == ("tokyo", "files"))
    assert unit.action is Action.REFUSED


def test_no_value_is_no_property() -> None:
    """`AWS::NoValue` leaves a property out, so a membership by it is none."""
    database = next(one for one in cfn.units(PLATFORM) if one.key == ("tokyo", "database"))
    template = {
        "Resources": {
            CLUSTER: {
                "Type": "AWS::RDS::DBCluster",
                "Properties": {"GlobalClusterIdentifier": {"Ref": "AWS::NoValue"}},
            },
            "Web": {
                "Type": "AWS::EKS::Nodegroup",
                "Properties": {"ScalingConfig": {"Ref": "AWS::NoValue"}},
            },
        }
    }
    (reason,) = dangers.find(PLATFORM, database, template, ())
    assert reason.startswith(f"{CLUSTER} has no GlobalClusterIdentifier")


def test_a_membership_that_a_parameter_moves_is_refused() -> None:
    """The template looks the same; only the change shows it."""
    database = next(one for one in cfn.units(PLATFORM) if one.key == ("tokyo", "database"))
    resource = {"GlobalClusterIdentifier": {"Ref": "Global"}}
    template = {"Resources": {CLUSTER: {"Type": "AWS::RDS::DBCluster", "Properties": resource}}}
    moved = _change(
        "AWS::RDS::DBCluster", CLUSTER, "GlobalClusterIdentifier", GLOBAL, "peccy-other"
    )
    assert dangers.find(PLATFORM, database, template, ()) == ()
    (reason,) = dangers.find(PLATFORM, database, template, [moved])
    assert reason.startswith(f"{CLUSTER} would leave {GLOBAL}")


# Reality


def _change(kind: str, name: str, path: str, before: str | None, after: str) -> ResourceChange:
    return ResourceChange(
        action="Modify",
        logical_id=name,
        physical_id=None,
        type=kind,
        replacement="False",
        policy_action=None,
        properties=(PropertyChange(path=path, before=before, after=after, recreation="Never"),),
    )


RETENTION = with_property(CLUSTER, "BackupRetentionPeriod", 35)


def test_writing_down_what_is_so_already_is_no_danger(applied: World) -> None:
    """That is how a change by hand gets into the template: nothing is overwritten."""
    applied.cloudformation["tokyo"].drifts("peccy-database", CLUSTER, BackupRetentionPeriod=35)
    key = ("tokyo", "database")
    assert planned(applied, key, RETENTION).action is Action.UPDATE
    assert brought(applied, key, RETENTION).ending is Ending.APPLIED


def test_writing_down_something_else_is(applied: World) -> None:
    """14 is neither what the template said nor what is."""
    applied.cloudformation["tokyo"].drifts("peccy-database", CLUSTER, BackupRetentionPeriod=14)
    refused(applied, ("tokyo", "database"), RETENTION, "BackupRetentionPeriod is 14")


@pytest.mark.parametrize(
    ("path", "after", "actual", "drifted_path", "adopted"),
    [
        ("BackupPolicy", '{"Status":"DISABLED"}', "DISABLED", "/BackupPolicy/Status", True),
        ("BackupPolicy", '{"Status":"ENABLED"}', "DISABLED", "/BackupPolicy/Status", False),
        ("BackupPolicy.Status", "DISABLED", "DISABLED", "/BackupPolicy/Status", True),
        (
            "LifecyclePolicies",
            '[{"TransitionToIA":"X"}]',
            "X",
            "/LifecyclePolicies/0/TransitionToIA",
            True,
        ),
        ("LifecyclePolicies", "[]", "X", "/LifecyclePolicies/0/TransitionToIA", False),
        ("Encrypted", "true", "True", "/Encrypted", True),
        ("ThroughputMode", "elastic", "bursting", "/Encrypted", False),
    ],
)
def test_values_are_compared_whatever_aws_writes(
    applied: World, path: str, after: str, actual: str, drifted_path: str, adopted: bool
) -> None:
    """As text or JSON, as the whole property or a part of it."""
    region = applied.regions["tokyo"]
    region.cloudformation.detect_stack_resource_drift = lambda **_: {  # type: ignore[method-assign,assignment]  # a fake
        "StackResourceDrift": {
            "StackResourceDriftStatus": "MODIFIED",
            "PropertyDifferences": [
                {
                    "PropertyPath": drifted_path,
                    "ExpectedValue": "other",
                    "ActualValue": actual,
                    "DifferenceType": "NOT_EQUAL",
                }
            ],
        }
    }
    change = _change("AWS::EFS::FileSystem", FILES, path, "other", after)
    assert (dangers.drifted(region, "peccy-files", [change]) == ()) == adopted


def test_labels_may_be_set_back(applied: World) -> None:
    """A tag steers nothing."""
    applied.cloudformation["tokyo"].drifts("peccy-database", CLUSTER, Tags=[{"Key": "who"}])
    key = ("tokyo", "database")
    assert planned(applied, key, RETENTION).action is Action.UPDATE


def test_a_resource_that_is_gone_is_a_persons(applied: World) -> None:
    """Neither making it again nor forgetting it is ours to decide."""
    applied.stack("tokyo", "database").lost.add(CLUSTER)
    refused(applied, ("tokyo", "database"), RETENTION, "was deleted outside of CloudFormation")


def test_a_reality_that_cannot_be_read_is_not_taken_for_unchanged(applied: World) -> None:
    """Unknown is never safe; the reason is AWS's."""
    applied.stack("tokyo", "database").unreadable[CLUSTER] = "Rate exceeded"
    refused(applied, ("tokyo", "database"), RETENTION, "cannot be compared", "Rate exceeded")


def test_a_type_that_cannot_be_compared_is_let_through(applied: World) -> None:
    """Nobody could ever say more about it."""
    applied.cloudformation["tokyo"].incomparable.add("AWS::RDS::DBCluster")
    assert planned(applied, ("tokyo", "database"), RETENTION).action is Action.UPDATE


@pytest.mark.parametrize("status", ["NOT_CHECKED", "UNSUPPORTED"])
def test_both_words_for_it_mean_the_same(applied: World, status: str) -> None:
    """AWS answers an error, or one of two statuses."""
    region = applied.regions["tokyo"]
    region.cloudformation.detect_stack_resource_drift = lambda **_: {  # type: ignore[method-assign,assignment]  # a fake
        "StackResourceDrift": {"StackResourceDriftStatus": status}
    }
    found = resource_drift.detect(region, "peccy-files", FILES)
    assert found.reality is Reality.NOT_COMPARABLE


def test_another_refusal_is_an_error(applied: World) -> None:
    """A missing permission is no answer, so the stack cannot be planned."""

    def refuse(**_: Any) -> None:
        raise client_error("AccessDenied", "not allowed", "DetectStackResourceDrift", 403)

    applied.cloudformation["tokyo"].detect_stack_resource_drift = refuse  # type: ignore[method-assign,assignment]  # a fake
    found = planned(applied, ("tokyo", "database"), RETENTION)
    assert found.action is Action.FAILED
    assert "not allowed" in found.reason


def test_only_what_is_modified_and_holds_data_is_looked_at(applied: World) -> None:
    """A look is a call: none without changes, one for each such resource."""
    applied.plan()
    assert applied.calls("DetectStackResourceDrift") == []
    planned(applied, ("tokyo", "database"), RETENTION)
    assert applied.calls("DetectStackResourceDrift") == ["tokyo"]
