"""After a failover, and after each apply that follows it: what the failover made is still so.

Everything is asked of AWS with boto3, and nothing of the product.
"""

from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from platform_pipelines.aws import settings as environments
from platform_pipelines.aws.region import Aws
from platform_pipelines.ledger import connect
from platform_pipelines.ledger_records import IncidentState
from platform_pipelines.provisioning.reality import SERVING
from tests.local_world import LocalWorld
from tests.rehearsal.virtual import Rehearsal

# What a role consists of; no apply may call any of these.
ROLE_CALLS = {
    "CreateReplicationConfiguration",
    "DeleteObject",
    "DeleteReplicationConfiguration",
    "DisableStageTransition",
    "EnableStageTransition",
    "FailoverGlobalCluster",
    "PromoteReadReplicaDBCluster",
    "PutObject",
    "RemoveFromGlobalCluster",
    "SwitchoverGlobalCluster",
    "UpdateFileSystemProtection",
    "UpdateNodegroupConfig",
}
CLUSTER_CALLS = {"CreateGlobalCluster", "DeleteGlobalCluster", "ModifyGlobalCluster"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a Region's APIs say of the roles."""

    writers: dict[str, list[str]]  # by global cluster: ARNs
    members: dict[str, list[str]]  # by global cluster: ARNs
    replications: list[tuple[str, str]]  # source and destination of file systems
    protections: dict[str, str]  # by file system's name
    counts: dict[str, tuple[int, int, int]]  # minimum, desired, maximum, by node group
    serving: bool  # whether the traffic object is there
    pipelines: dict[str, bool]  # whether its first transition is open


def facts(world: LocalWorld, alias: str) -> Facts:
    """Everything of one Region, by boto3."""
    rds = world.aws("rds", alias)
    globals_ = rds.describe_global_clusters()["GlobalClusters"]
    efs = world.aws("efs", alias)
    systems = efs.describe_file_systems()["FileSystems"]
    return Facts(
        writers={one["GlobalClusterIdentifier"]: _arns(one, writers=True) for one in globals_},
        members={one["GlobalClusterIdentifier"]: _arns(one, writers=False) for one in globals_},
        replications=_replications(efs),
        protections={
            one["Name"]: one["FileSystemProtection"]["ReplicationOverwriteProtection"]
            for one in systems
        },
        counts=_counts(world, alias),
        serving=_serving(world, alias),
        pipelines=_pipelines(world, alias),
    )


def _arns(cluster: dict[str, Any], *, writers: bool) -> list[str]:
    return sorted(
        one["DBClusterArn"]
        for one in cluster["GlobalClusterMembers"]
        if one["IsWriter"] or not writers
    )


def _replications(efs: Any) -> list[tuple[str, str]]:
    return sorted(
        (one["SourceFileSystemId"], to["FileSystemId"])
        for one in efs.describe_replication_configurations()["Replications"]
        for to in one["Destinations"]
    )


def _counts(world: LocalWorld, alias: str) -> dict[str, tuple[int, int, int]]:
    eks = world.aws("eks", alias)
    cluster = world.platform.cluster_name(world.platform.region(alias))
    found = {}
    for name in eks.list_nodegroups(clusterName=cluster)["nodegroups"]:
        group = eks.describe_nodegroup(clusterName=cluster, nodegroupName=name)["nodegroup"]
        scaling = group["scalingConfig"]
        found[name] = (scaling["minSize"], scaling["desiredSize"], scaling["maxSize"])
    return found


def _serving(world: LocalWorld, alias: str) -> bool:
    bucket = world.platform.traffic_bucket(world.platform.region(alias))
    found = world.aws("s3", alias).list_objects_v2(Bucket=bucket).get("Contents", [])
    return SERVING in [one["Key"] for one in found]


def _pipelines(world: LocalWorld, alias: str) -> dict[str, bool]:
    client = world.aws("codepipeline", alias)
    names = [one["name"] for one in client.list_pipelines()["pipelines"]]
    states = {name: client.get_pipeline_state(name=name)["stageStates"] for name in names}
    return {
        name: all(one["inboundTransitionState"]["enabled"] for one in stages[1:])
        for name, stages in states.items()
    }


@pytest.fixture(scope="module")
def afterwards(rehearsal: Rehearsal) -> Rehearsal:
    """The platform after the loss of Seoul: Tokyo serves, Seoul is dark. Its tests follow one
    another, as the days after a failover do."""
    before = facts(rehearsal.world, "seoul")
    assert _regions(before.writers) == {"ap-northeast-2"}
    assert before.replications
    standby = facts(rehearsal.world, "tokyo")
    assert standby.serving is False
    assert (set(before.pipelines.values()), set(standby.pipelines.values())) == ({True}, {False})
    report = rehearsal.lose_home()
    assert report["state"] == "settled"
    return rehearsal


def _regions(arns: dict[str, list[str]]) -> set[str]:
    return {arn.split(":")[3] for found in arns.values() for arn in found}


def _apply(rehearsal: Rehearsal) -> list[Any]:
    """Apply everything; the calls that this made."""
    before = sum(1 for _ in rehearsal.world.control.calls())
    rehearsal.run("apply_infrastructure")
    return list(rehearsal.world.control.calls())[before:]


def _unchanged(rehearsal: Rehearsal, aliases: tuple[str, ...]) -> list[Any]:
    """Apply everything: not one fact of these Regions is another one, and nobody touched a role."""
    before = {alias: facts(rehearsal.world, alias) for alias in aliases}
    calls = _apply(rehearsal)
    assert {alias: facts(rehearsal.world, alias) for alias in aliases} == before
    assert not {call.operation for call in calls if call.changing} & (ROLE_CALLS | CLUSTER_CALLS)
    return calls


def _changed(calls: list[Any], alias: str, rehearsal: Rehearsal) -> set[str]:
    region = rehearsal.world.platform.region(alias).name
    return {one.operation for one in calls if one.changing and one.region == region}


def test_the_failover_made_tokyo_the_active_region(afterwards: Rehearsal) -> None:
    """Writer, no replication, writable files, node counts, traffic."""
    found = facts(afterwards.world, "tokyo")
    assert _regions(found.writers) == {"ap-northeast-1"}
    assert found.replications == []
    assert set(found.protections.values()) == {"ENABLED"}
    groups = afterwards.world.platform.node_groups
    assert {name: count[1] for name, count in found.counts.items()} == {
        one.name: one.active for one in groups
    }
    assert found.serving is True


def test_an_apply_while_seoul_is_dark_changes_none_of_it(afterwards: Rehearsal) -> None:
    """It succeeds, asks nothing of Seoul that it needs, and leaves every fact as it is."""
    calls = _unchanged(afterwards, ("tokyo",))
    assert _changed(calls, "tokyo", afterwards) <= {"CreateChangeSet", "DeleteChangeSet"}


def test_an_apply_with_seoul_back_leaves_its_old_side_alone(afterwards: Rehearsal) -> None:
    """The incident is not closed: Seoul's stacks are not touched, and Tokyo keeps its role."""
    afterwards.world.control.restore("seoul")
    afterwards.clock.sleep(3600)
    calls = _unchanged(afterwards, ("seoul", "tokyo"))
    assert _changed(calls, "seoul", afterwards) == set()
    assert _regions(facts(afterwards.world, "seoul").writers) == {"ap-northeast-1"}


def test_an_apply_after_the_incident_is_closed_changes_none_of_it(afterwards: Rehearsal) -> None:
    """Both Regions' stacks are applied again, with Tokyo active: no template knows a role."""
    _close(afterwards)
    calls = _unchanged(afterwards, ("seoul", "tokyo"))
    executed = [call for call in calls if call.operation == "ExecuteChangeSet"]
    assert executed == []
    assert facts(afterwards.world, "tokyo").serving is True


def _edited(rehearsal: Rehearsal) -> None:
    """Other networks may reach the clusters, and Tokyo's database gets one more instance."""
    wanted = yaml.safe_load((rehearsal.folder / "platform.yaml").read_text())
    wanted["cluster_access"]["networks"] = ["198.51.100.0/24"]
    wanted["databases"][0]["instances"]["tokyo"] += 1
    (rehearsal.folder / "edited.yaml").write_text(yaml.safe_dump(wanted))


def test_an_apply_that_changes_stacks_changes_no_role_either(
    afterwards: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both clusters and a database are edited while Tokyo is active: the edits arrive, and the
    writer, the node counts, the files and the traffic stay."""
    _edited(afterwards)
    monkeypatch.setenv("PLATFORM_FILE", str(afterwards.folder / "edited.yaml"))
    later = Rehearsal(
        world=afterwards.world, instance=afterwards.instance, folder=afterwards.folder
    )
    calls = _unchanged(later, ("seoul", "tokyo"))
    executed = [call.region for call in calls if call.operation == "ExecuteChangeSet"]
    assert sorted(executed) == ["ap-northeast-1", "ap-northeast-1", "ap-northeast-2"]
    for alias in ("seoul", "tokyo"):
        name = afterwards.world.platform.cluster_name(afterwards.world.platform.region(alias))
        cluster = afterwards.world.aws("eks", alias).describe_cluster(name=name)["cluster"]
        assert cluster["resourcesVpcConfig"]["publicAccessCidrs"] == ["198.51.100.0/24"]


def _close(rehearsal: Rehearsal) -> None:
    """What `reprotect` does in the end, in the ledger."""
    platform = rehearsal.world.platform
    settings = environments.from_environment(platform, rehearsal.world.environment())
    ledger = connect(Aws(platform, settings))
    incident = ledger.last_incident()
    assert incident is not None
    ledger.change_incident(incident, state=IncidentState.CLOSED)
