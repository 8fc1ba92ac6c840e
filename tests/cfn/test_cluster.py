"""A Region's Kubernetes: equal in both, closed to the world, and without any number of nodes."""

import json
from typing import Any

import pytest

from tests.cfn import platforms, templates
from tests.cfn.templates import PLATFORM, in_stack

each_region = pytest.mark.parametrize("alias", ["seoul", "tokyo"])


def _cluster(alias: str) -> Any:
    return templates.properties(alias, "cluster", "Cluster")


def test_node_groups_have_no_counts() -> None:
    """The next edit of a template would set the standby's nodes in the middle of a disaster."""
    groups = in_stack("AWS::EKS::Nodegroup", "cluster")
    assert len(groups) == 6
    assert not any("ScalingConfig" in group for group in groups)


@each_region
def test_the_public_endpoint_is_for_named_networks(alias: str) -> None:
    """What runs in the VPC comes by the private one."""
    found = _cluster(alias)["ResourcesVpcConfig"]
    assert found["EndpointPrivateAccess"] is True
    assert found["EndpointPublicAccess"] is True
    assert found["PublicAccessCidrs"] == ["203.0.113.0/24"]


@each_region
def test_access_is_by_entries_alone(alias: str) -> None:
    """Whoever creates the cluster has no rights in it that no template shows."""
    assert _cluster(alias)["AccessConfig"] == {
        "AuthenticationMode": "API",
        "BootstrapClusterCreatorAdminPermissions": False,
    }


@each_region
def test_all_logs_of_the_control_plane_are_written_and_kept_for_a_while(alias: str) -> None:
    """Into the group that EKS would make, and keep for ever, if it were not there before."""
    kinds = {one["Type"] for one in _cluster(alias)["Logging"]["ClusterLogging"]["EnabledTypes"]}
    assert kinds == {"api", "audit", "authenticator", "controllerManager", "scheduler"}
    logs = templates.properties(alias, "cluster", "Logs")
    assert logs["LogGroupName"] == f"/aws/eks/peccy-{alias}/cluster"
    assert logs["RetentionInDays"] == 90
    assert templates.resources(alias, "cluster")["Cluster"]["DependsOn"] == "Logs"


@each_region
def test_secrets_of_kubernetes_are_encrypted_with_the_regions_key(alias: str) -> None:
    """Envelope encryption."""
    (found,) = _cluster(alias)["EncryptionConfig"]
    assert found == {"Resources": ["secrets"], "Provider": {"KeyArn": {"Ref": "Key"}}}


@each_region
def test_node_groups_lie_in_all_zones_with_a_label_and_a_taint_of_their_role(alias: str) -> None:
    """All but `manage`, which carries what every cluster needs."""
    for group in PLATFORM.node_groups:
        found = templates.properties(alias, "cluster", f"NodeGroup{group.name.capitalize()}")
        assert found["Labels"] == {"role": group.name}
        assert found["Subnets"] == {"Ref": "PrivateSubnets"}
        assert found["InstanceTypes"] == list(group.instance_types)
        assert len(found["InstanceTypes"]) > 1
        taints = [{"Key": "role", "Value": group.name, "Effect": "NO_SCHEDULE"}]
        assert found.get("Taints", []) == ([] if group.name == "manage" else taints)


@each_region
def test_every_addon_has_the_version_of_the_platform_file(alias: str) -> None:
    """Both Regions run the same, until somebody edits the one line."""
    found = {
        resource["Properties"]["AddonName"]: resource["Properties"]["AddonVersion"]
        for resource in templates.resources(alias, "cluster").values()
        if resource["Type"] == "AWS::EKS::Addon"
    }
    assert found == PLATFORM.addons
    assert found.keys() >= {"aws-efs-csi-driver", "amazon-cloudwatch-observability"}


@each_region
def test_the_agents_have_their_role_from_the_beginning(alias: str) -> None:
    """A pod that is older than its association would go on as its node, and send no metrics."""
    resources = templates.resources(alias, "cluster")
    addon = resources["AddonAmazonCloudwatchObservability"]
    (found,) = addon["Properties"]["PodIdentityAssociations"]
    assert found["ServiceAccount"] == "cloudwatch-agent"
    role = resources[found["RoleArn"]["Fn::GetAtt"][0]]["Properties"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    tags = trust["Condition"]["StringEquals"]
    assert tags["aws:RequestTag/kubernetes-service-account"] == ["cloudwatch-agent"]
    assert tags["aws:RequestTag/kubernetes-namespace"] == "amazon-cloudwatch"
    assert tags["aws:RequestTag/eks-cluster-name"] == f"peccy-{alias}"
    assert set(addon["DependsOn"]) == {"NodeGroupManage", "AddonEksPodIdentityAgent"}


def test_nodes_go_on_with_their_cluster() -> None:
    """A new Kubernetes version is the nodes' too, after the control plane has it."""
    platform = platforms.changed(kubernetes_version="1.37")
    for alias in ("seoul", "tokyo"):
        found = templates.resources(alias, "cluster", platform)
        assert found["Cluster"]["Properties"]["Version"] == "1.37"
        for one in found.values():
            if one["Type"] == "AWS::EKS::Nodegroup":
                assert one["Properties"]["Version"] == "1.37"
                assert one["Properties"]["ClusterName"] == {"Ref": "Cluster"}


def test_a_team_may_add_an_addon() -> None:
    """It is made like the others, in both Regions."""
    platform = platforms.changed(addons={**PLATFORM.addons, "metrics-server": "v0.8.0-eksbuild.1"})
    for alias in ("seoul", "tokyo"):
        found = templates.properties(alias, "cluster", "AddonMetricsServer", platform)
        assert (found["AddonName"], found["AddonVersion"]) == (
            "metrics-server",
            "v0.8.0-eksbuild.1",
        )


@each_region
def test_the_agents_run_on_tainted_nodes_too(alias: str) -> None:
    """Else the nodes of the services would be the ones that nobody watches."""
    found = templates.properties(alias, "cluster", "AddonAmazonCloudwatchObservability")
    assert json.loads(found["ConfigurationValues"]) == {"tolerations": [{"operator": "Exists"}]}


@each_region
def test_nodes_take_only_signed_metadata_requests_and_have_encrypted_disks(alias: str) -> None:
    """IMDSv2, and EBS encryption."""
    data = templates.properties(alias, "cluster", "NodeTemplate")["LaunchTemplateData"]
    assert data["MetadataOptions"]["HttpTokens"] == "required"
    assert [disk["Ebs"]["Encrypted"] for disk in data["BlockDeviceMappings"]] == [True]


@each_region
def test_a_node_may_do_no_more_than_be_a_node(alias: str) -> None:
    """Controllers and agents have roles of their own, by Pod Identity."""
    role = templates.properties(alias, "cluster", "NodeRole")
    assert {arn.rpartition("/")[2] for arn in role["ManagedPolicyArns"]} == {
        "AmazonEKSWorkerNodePolicy",
        "AmazonEKS_CNI_Policy",
        "AmazonEC2ContainerRegistryPullOnly",
    }
    assert "Policies" not in role
