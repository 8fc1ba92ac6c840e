"""Stack `drills`: experiments that harm what they name and nothing else, and that stop in time."""

from typing import Any

import pytest

from tests.cfn.templates import PLATFORM, properties, resources

REGIONS = ("seoul", "tokyo")
ZONES = ("ZonePower1", "ZonePower2", "ZonePower3")
EXPERIMENTS = (*ZONES, "Partition")

each_region = pytest.mark.parametrize("alias", REGIONS)
each_experiment = pytest.mark.parametrize("title", EXPERIMENTS)

# What each action acts on, by AWS's reference: the name and the type of its target.
# https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html
TARGETS = {
    "aws:dynamodb:global-table-pause-replication": ("Tables", "aws:dynamodb:global-table"),
    "aws:ec2:asg-insufficient-instance-capacity-error": (
        *("AutoScalingGroups", "aws:ec2:autoscaling-group"),
    ),
    "aws:ec2:stop-instances": ("Instances", "aws:ec2:instance"),
    "aws:network:disrupt-connectivity": ("Subnets", "aws:ec2:subnet"),
    "aws:network:route-table-disrupt-cross-region-connectivity": ("Subnets", "aws:ec2:subnet"),
    "aws:rds:failover-db-cluster": ("Clusters", "aws:rds:cluster"),
}
# Quotas of FIS: how many targets an action may have in an experiment.
SUBNETS_OF_A_PARTITION, GROUPS_WITHOUT_CAPACITY, SUBNETS_OF_A_ZONE = 6, 5, 5


def _experiment(alias: str, title: str) -> Any:
    return properties(alias, "drills", title)


def _statements(alias: str, title: str) -> list[dict[str, Any]]:
    (policy,) = properties(alias, "drills", title)["Policies"]
    found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return found


def _actions(alias: str, title: str) -> set[str]:
    return {action for one in _statements(alias, title) for action in one["Action"]}


@each_region
def test_every_zone_can_lose_its_power_and_the_region_its_neighbour(alias: str) -> None:
    """Four experiments in each Region."""
    kind = "AWS::FIS::ExperimentTemplate"
    found = {title for title, one in resources(alias, "drills").items() if one["Type"] == kind}
    assert found == set(EXPERIMENTS)


@each_region
@each_experiment
def test_every_experiment_stops_at_the_alarm_and_is_written_down(alias: str, title: str) -> None:
    """AWS's scenarios have no stop condition; ours is an alarm of the same Region."""
    experiment = _experiment(alias, title)
    assert experiment["StopConditions"] == [
        {"Source": "aws:cloudwatch:alarm", "Value": {"Ref": "DrillStop"}}
    ]
    logs = experiment["LogConfiguration"]["CloudWatchLogsConfiguration"]
    assert logs == {"LogGroupArn": {"Fn::GetAtt": ["Logs", "Arn"]}}
    assert experiment["ExperimentOptions"]["EmptyTargetResolutionMode"] == "skip"


@each_region
@each_experiment
def test_every_action_has_the_target_that_it_takes(alias: str, title: str) -> None:
    """And every target is acted on."""
    experiment = _experiment(alias, title)
    used = set()
    for action in experiment["Actions"].values():
        ((name, target),) = action["Targets"].items()
        kind = experiment["Targets"][target]["ResourceType"]
        assert (name, kind) == TARGETS[action["ActionId"]]
        used.add(target)
    assert used == experiment["Targets"].keys()


@each_region
@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_zones_experiment_stays_in_its_zone(alias: str, number: int) -> None:
    """Nodes, subnets and the writer of that zone; no instance starts there meanwhile."""
    zone = PLATFORM.region(alias).zones[number]
    experiment = _experiment(alias, ZONES[number])
    targets, actions = experiment["Targets"], experiment["Actions"]
    where = {one["Path"]: one["Values"] for one in targets["Instances"]["Filters"]}
    assert where["Placement.AvailabilityZone"] == [zone]
    assert targets["Subnets"]["Parameters"] == {"availabilityZoneIdentifier": zone}
    assert targets["Clusters"]["Parameters"] == {"writerAvailabilityZoneIdentifiers": zone}
    pause = actions["Pause-ASG-Scaling"]["Parameters"]
    assert (pause["availabilityZoneIdentifiers"], pause["percentage"]) == (zone, "100")


@each_region
@each_experiment
def test_only_what_is_ours_is_a_target(alias: str, title: str) -> None:
    """By the tags that the stacks and EKS give, or by ARN."""
    ours = {"platform": "peccy", "region": alias}
    for target in _experiment(alias, title)["Targets"].values():
        tags = target.get("ResourceTags", {})
        by_stack = ours.items() <= tags.items()
        by_cluster = tags == {"eks:cluster-name": f"peccy-{alias}"}
        assert by_stack or by_cluster or target["ResourceArns"]


@each_region
def test_the_tags_of_the_targets_are_those_of_the_stacks(alias: str) -> None:
    """A target by a tag that nothing carries would be skipped in silence."""
    wanted = _experiment(alias, "ZonePower1")["Targets"]
    for stack, kind, target in (
        ("network", "AWS::EC2::Subnet", "Subnets"),
        ("database", "AWS::RDS::DBCluster", "Clusters"),
    ):
        found = [
            {tag["Key"]: tag["Value"] for tag in one["Properties"]["Tags"]}
            for one in resources(alias, stack).values()
            if one["Type"] == kind
        ]
        assert found
        for tags in found:
            assert wanted[target]["ResourceTags"].items() <= tags.items()


@each_region
def test_a_partition_names_the_other_region_and_the_ledgers_replica(alias: str) -> None:
    """It lasts longer than a failover may."""
    experiment = _experiment(alias, "Partition")
    cut = experiment["Actions"]["Disrupt-Subnet-Connectivity"]["Parameters"]
    assert cut == {"region": PLATFORM.other(alias).name, "duration": "PT1H"}
    assert experiment["Targets"]["Tables"]["ResourceArns"] == [
        f"arn:aws:dynamodb:{PLATFORM.region(alias).name}:111122223333:table/peccy-ledger"
    ]


@each_region
def test_the_default_quotas_of_the_service_suffice(alias: str) -> None:
    """More targets than these, and the experiment does not start."""
    zones = [
        one["Properties"]["AvailabilityZone"]
        for one in resources(alias, "network").values()
        if one["Type"] == "AWS::EC2::Subnet"
    ]
    assert len(zones) <= SUBNETS_OF_A_PARTITION
    assert max(zones.count(zone) for zone in zones) <= SUBNETS_OF_A_ZONE
    assert len(PLATFORM.node_groups) <= GROUPS_WITHOUT_CAPACITY


@each_region
def test_neither_role_can_do_the_others_harm(alias: str) -> None:
    """And none can touch a global cluster: no drill is a failover."""
    zone, partition = _actions(alias, "ZoneRole"), _actions(alias, "PartitionRole")
    assert {"ec2:StopInstances", "rds:FailoverDBCluster"} <= zone
    assert not any("Route" in one or one.startswith("dynamodb:") for one in zone)
    assert not any("Instance" in one or one.startswith("rds:") for one in partition)
    assert not any("GlobalCluster" in one or "*" in one for one in zone | partition)


@each_region
def test_nodes_are_stopped_by_their_cluster_and_nothing_else_is(alias: str) -> None:
    """The role cannot stop an instance of somebody else."""
    (stops,) = (
        one for one in _statements(alias, "ZoneRole") if "ec2:StopInstances" in one["Action"]
    )
    assert stops["Condition"] == {
        "StringEquals": {"ec2:ResourceTag/eks:cluster-name": f"peccy-{alias}"}
    }


@each_region
@pytest.mark.parametrize("title", ["ZoneRole", "PartitionRole"])
def test_what_is_deleted_was_made_by_an_experiment(alias: str, title: str) -> None:
    """By FIS's own tag."""
    for one in _statements(alias, title):
        if any(action.startswith("ec2:Delete") for action in one["Action"]):
            assert one["Condition"] == {"StringEquals": {"ec2:ResourceTag/managedByFIS": "true"}}


@each_region
@pytest.mark.parametrize("title", ["ZoneRole", "PartitionRole"])
def test_a_role_is_taken_by_experiments_of_this_region_only(alias: str, title: str) -> None:
    """And by those of this account."""
    role = properties(alias, "drills", title)
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "fis.amazonaws.com"}
    assert trust["Condition"]["ArnLike"]["aws:SourceArn"] == [
        f"arn:aws:fis:{PLATFORM.region(alias).name}:111122223333:experiment/*"
    ]
