"""EC2's instances: those behind the nodes of the clusters, which node groups launch and end.

They are read from the Kubernetes nodes themselves, so an instance is there as long as its node is.
"""

import ipaddress
from datetime import UTC, datetime
from typing import Any

from platform_pipelines.local.aws import ec2_filter_values, stores
from platform_pipelines.local.aws.ec2_describes import Described, chosen
from platform_pipelines.local.aws.service import Call, Fault, Result, Service, operation
from platform_pipelines.local.kube.kinds import NODE

Record = dict[str, Any]
_TYPE, _ZONE = "node.kubernetes.io/instance-type", "topology.kubernetes.io/zone"
_GROUP = "eks.amazonaws.com/nodegroup"
_RUNNING = {"Code": 16, "Name": "running"}
INSTANCES = Described(
    members="Instances",
    ids={
        "InstanceIds": (
            *("InstanceId", "InvalidInstanceID.NotFound"),
            "The instance ID '{}' does not exist",
        )
    },
    values=ec2_filter_values.of_instance,
)


class Instances(Service):
    """Looking at them; starting and ending them is EKS's affair."""

    name = "ec2"

    @operation(
        raises=(
            *("InvalidInstanceID.NotFound", "InvalidNextToken"),
            *("InvalidParameterCombination", "InvalidParameterValue"),
        )
    )
    def DescribeInstances(self, call: Call) -> Result:  # noqa: N802
        least, most = 5, 1000
        if not least <= call.params.get("MaxResults", most) <= most:
            message = f"Value for parameter maxResults must be between {least} and {most}"
            raise Fault("InvalidParameterValue", message)
        answer = chosen(call, INSTANCES, self._instances(call))
        shown = [_reservation(call, one) for one in answer.pop("Instances")]
        return {"Reservations": shown} | answer

    def _instances(self, call: Call) -> list[Record]:
        region = self.world.region_of(call.region)
        store = self.world.stores.get(region.alias) if region else None
        if region is None or store is None or call.account != self.world.platform.account:
            return []
        cluster = self.world.platform.cluster_name(region)
        subnets = _subnets(call)
        nodes = store.peek_all(NODE)
        return [
            _instance(node, cluster, subnets)
            for node in nodes
            if str(node["spec"].get("providerID", "")).startswith("aws:///")
        ]


def _subnets(call: Call) -> list[Record]:
    asked = Call(
        service="ec2",
        operation="DescribeSubnets",
        params={},
        region=call.region,
        account=call.account,
        request_id=call.request_id,
    )
    found: list[Record] = stores.ask(asked)["Subnets"]
    return found


def _instance(node: Record, cluster: str, subnets: list[Record]) -> Record:
    metadata, labels = node["metadata"], node["metadata"].get("labels") or {}
    told = {one["type"]: one["address"] for one in node["status"].get("addresses") or []}
    address = told.get("InternalIP", "")
    placed = next((one for one in subnets if _holds(one, address)), None)
    home = {"SubnetId": placed["SubnetId"], "VpcId": placed["VpcId"]} if placed else {}
    return {
        "InstanceId": node["spec"]["providerID"].rpartition("/")[2],
        "InstanceType": labels.get(_TYPE, ""),
        "State": dict(_RUNNING),
        "LaunchTime": datetime.fromisoformat(metadata["creationTimestamp"]).astimezone(UTC),
        "Placement": {"AvailabilityZone": labels.get(_ZONE, ""), "Tenancy": "default"},
        "PrivateIpAddress": address,
        "PrivateDnsName": told.get("Hostname", ""),
        "Architecture": "x86_64",
        "Hypervisor": "xen",
        "VirtualizationType": "hvm",
        "RootDeviceType": "ebs",
        **home,
        "Tags": [
            {"Key": "eks:cluster-name", "Value": cluster},
            {"Key": "eks:nodegroup-name", "Value": labels.get(_GROUP, "")},
            {"Key": f"kubernetes.io/cluster/{cluster}", "Value": "owned"},
        ],
    }


def _holds(subnet: Record, address: str) -> bool:
    return bool(address) and ipaddress.ip_address(address) in ipaddress.ip_network(
        subnet["CidrBlock"]
    )


def _reservation(call: Call, instance: Record) -> Result:
    return {
        "ReservationId": f"r-{instance['InstanceId'].removeprefix('i-')}",
        "OwnerId": call.account,
        "Groups": [],
        "Instances": [instance],
    }
