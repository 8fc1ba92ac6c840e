"""EKS by stacks: what changes one at a time, add-ons with their roles, and who may enter."""

from typing import Any

import pytest

from platform_pipelines.local.world import World
from tests.local.aws.stacks import (
    CLUSTER,
    ROLE,
    Stacks,
    eks_cluster,
    in_still_world,
    network,
    nodes,
    resource,
    template,
)

OTHER = ROLE.replace("any", "other")
VIEW = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
EDIT = VIEW.replace("View", "Edit")


@pytest.fixture
def stacks(world: World) -> Stacks:
    """The stacks of a world of this test's own."""
    return in_still_world(world)


def cluster(cidrs: list[str], *logs: str, **properties: Any) -> dict[str, Any]:
    """Seoul's cluster, with a public endpoint for these networks, and these logs."""
    found = eks_cluster()
    found["Properties"]["ResourcesVpcConfig"] |= {
        "EndpointPublicAccess": True,
        "EndpointPrivateAccess": True,
        "PublicAccessCidrs": cidrs,
    }
    kinds = [{"Type": kind} for kind in logs]
    logging = {"Logging": {"ClusterLogging": {"EnabledTypes": kinds}}} if logs else {}
    found["Properties"] |= logging | properties
    return found


def whole(found: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A stack of a cluster in its network."""
    return template(**network(), Cluster=found, **more)


def is_in_sync(stacks: Stacks, name: str) -> bool:
    """Whether no resource of a stack has drifted."""
    client = stacks.client("seoul")
    id_ = client.detect_stack_drift(StackName=name)["StackDriftDetectionId"]
    stacks.wait(30)
    found = client.describe_stack_drift_detection_status(StackDriftDetectionId=id_)
    return bool(found["StackDriftStatus"] == "IN_SYNC")


def test_a_cluster_changes_several_things_one_after_the_other(stacks: Stacks) -> None:
    """Endpoint, logs and protection in one update of the stack; EKS has made three."""
    assert stacks.apply("seoul", "eks", whole(cluster(["192.0.2.0/24"]))) == "CREATE_COMPLETE"
    edited = cluster(["198.51.100.0/24"], "api", "audit", DeletionProtection=True)
    assert stacks.apply("seoul", "eks", whole(edited)) == "UPDATE_COMPLETE"
    eks = stacks.world.aws("eks")
    found = eks.describe_cluster(name=CLUSTER)["cluster"]
    assert found["resourcesVpcConfig"]["publicAccessCidrs"] == ["198.51.100.0/24"]
    on = [one["types"] for one in found["logging"]["clusterLogging"] if one["enabled"]]
    assert (on, found["deletionProtection"]) == ([["api", "audit"]], True)
    assert len(eks.list_updates(name=CLUSTER)["updateIds"]) == 3
    assert is_in_sync(stacks, "eks")
    eks.update_cluster_config(name=CLUSTER, deletionProtection=False)
    stacks.wait(600)
    assert not is_in_sync(stacks, "eks")


def test_what_a_cluster_keeps_for_its_life_is_not_changed(stacks: Stacks) -> None:
    """It would take another cluster, whose name is taken."""
    assert stacks.apply("seoul", "eks", whole(cluster(["192.0.2.0/24"]))) == "CREATE_COMPLETE"
    access = {"AuthenticationMode": "API", "BootstrapClusterCreatorAdminPermissions": False}
    edited = whole(cluster(["192.0.2.0/24"], AccessConfig=access))
    planned = stacks.plan("seoul", "eks", edited)
    stacks.client("seoul").execute_change_set(ChangeSetName=planned["ChangeSetId"])
    assert stacks.end("seoul", planned["StackId"]) == "UPDATE_ROLLBACK_COMPLETE"
    assert "custom-named resource" in stacks.failures("seoul", planned["StackId"])["Cluster"]


def test_a_node_group_changes_its_machine_and_its_settings_in_one_update(stacks: Stacks) -> None:
    """The version of its launch template first, then labels and pace; the counts stay."""

    def body(size: int, **properties: Any) -> dict[str, Any]:
        disk = {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": size}}
        spec = {
            "Id": {"Ref": "Machine"},
            "Version": {"Fn::GetAtt": ["Machine", "LatestVersionNumber"]},
        }
        return whole(
            cluster(["192.0.2.0/24"]),
            Machine=resource(
                "AWS::EC2::LaunchTemplate", LaunchTemplateData={"BlockDeviceMappings": [disk]}
            ),
            Nodes=nodes(LaunchTemplate=spec, **properties),
        )

    assert stacks.apply("seoul", "eks", body(50, Labels={"role": "web"})) == "CREATE_COMPLETE"
    eks, key = stacks.world.aws("eks"), {"clusterName": CLUSTER, "nodegroupName": "web"}
    scaling = {"minSize": 0, "maxSize": 3, "desiredSize": 0}
    eks.update_nodegroup_config(**key, scalingConfig=scaling)
    stacks.wait(600)
    pace = {"MaxUnavailablePercentage": 50}
    edited = body(80, Labels={"role": "app"}, UpdateConfig=pace)
    assert stacks.apply("seoul", "eks", edited) == "UPDATE_COMPLETE"
    found = eks.describe_nodegroup(**key)["nodegroup"]
    assert found["launchTemplate"]["version"] == "2"
    assert (found["labels"], found["updateConfig"]) == (
        {"role": "app"},
        {"maxUnavailablePercentage": 50},
    )
    assert found["scalingConfig"] == scaling
    assert is_in_sync(stacks, "eks")


def test_an_add_on_takes_its_configuration_and_its_roles(stacks: Stacks) -> None:
    """Its pods' identities are associations that belong to it, and go with it."""

    def addon(**properties: Any) -> dict[str, Any]:
        return resource(
            "AWS::EKS::Addon",
            ClusterName={"Ref": "Cluster"},
            AddonName="vpc-cni",
            **properties,
        )

    def identity(role: str) -> list[dict[str, str]]:
        return [{"ServiceAccount": "aws-node", "RoleArn": role}]

    def body(*found: dict[str, Any]) -> dict[str, Any]:
        return whole(cluster(["192.0.2.0/24"]), **({"Addon": found[0]} if found else {}))

    eks = stacks.world.aws("eks")

    def roles() -> list[str]:
        found = eks.list_pod_identity_associations(clusterName=CLUSTER)["associations"]
        assert all(":addon/" in one["ownerArn"] for one in found)
        return [
            eks.describe_pod_identity_association(
                clusterName=CLUSTER, associationId=one["associationId"]
            )["association"]["roleArn"]
            for one in found
        ]

    first = addon(ConfigurationValues='{"a": 1}', PodIdentityAssociations=identity(ROLE))
    assert stacks.apply("seoul", "eks", body(first)) == "CREATE_COMPLETE"
    key = {"clusterName": CLUSTER, "addonName": "vpc-cni"}
    found = eks.describe_addon(**key)["addon"]
    assert (found["configurationValues"], len(found["podIdentityAssociations"])) == ('{"a": 1}', 1)
    assert roles() == [ROLE]
    second = addon(ConfigurationValues='{"a": 2}', PodIdentityAssociations=identity(OTHER))
    assert stacks.apply("seoul", "eks", body(second)) == "UPDATE_COMPLETE"
    assert (eks.describe_addon(**key)["addon"]["configurationValues"], roles()) == (
        '{"a": 2}',
        [OTHER],
    )
    assert is_in_sync(stacks, "eks")
    without = addon(ConfigurationValues='{"a": 2}')
    assert stacks.apply("seoul", "eks", body(without)) == "UPDATE_COMPLETE"
    assert roles() == []
    assert stacks.apply("seoul", "eks", body(second)) == "UPDATE_COMPLETE"
    assert stacks.apply("seoul", "eks", body()) == "UPDATE_COMPLETE"
    assert roles() == []


def test_who_may_enter_is_what_the_template_says(stacks: Stacks) -> None:
    """Policies that it drops are taken away; what somebody adds is drift."""

    def body(*policies: str) -> dict[str, Any]:
        scope = {"Type": "namespace", "Namespaces": ["shop"]}
        given = [{"PolicyArn": arn, "AccessScope": scope} for arn in policies]
        entry = resource(
            "AWS::EKS::AccessEntry",
            ClusterName={"Ref": "Cluster"},
            PrincipalArn=ROLE,
            AccessPolicies=given,
        )
        return whole(cluster(["192.0.2.0/24"]), Entry=entry)

    assert stacks.apply("seoul", "eks", body(VIEW)) == "CREATE_COMPLETE"
    assert stacks.apply("seoul", "eks", body(EDIT)) == "UPDATE_COMPLETE"
    eks, key = stacks.world.aws("eks"), {"clusterName": CLUSTER, "principalArn": ROLE}
    (found,) = eks.list_associated_access_policies(**key)["associatedAccessPolicies"]
    assert found["policyArn"] == EDIT
    assert is_in_sync(stacks, "eks")
    eks.associate_access_policy(**key, policyArn=VIEW, accessScope={"type": "cluster"})
    assert not is_in_sync(stacks, "eks")
