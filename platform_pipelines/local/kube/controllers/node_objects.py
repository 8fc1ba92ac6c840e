"""What a new node of a managed node group tells the API about itself."""

from ipaddress import ip_network

from platform_pipelines.local.kube.controllers.cluster import NodeGroup
from platform_pipelines.local.kube.controllers.instance_types import size_of
from platform_pipelines.local.kube.controllers.objects import Object, annotations, labels
from platform_pipelines.model import Region

GROUP_LABEL = "eks.amazonaws.com/nodegroup"
ZONE_LABEL = "topology.kubernetes.io/zone"
NUMBER = "local-regions/number"  # counts the nodes of a cluster, for names and addresses
RELEASE = "local-regions/release"  # the Kubernetes version that its group had
HOSTS = 200  # addresses that we give out in a /24


def new_node(
    group: NodeGroup, region: Region, zone: str, number: int, kubernetes_version: str
) -> Object:
    """The `number`th node of a cluster, in this zone."""
    address = node_address(region.cidr, region.zones.index(zone), number)
    host = f"ip-{address.replace('.', '-')}.{region.name}.compute.internal"
    size = size_of(group.instance_type)
    spec: Object = {"providerID": f"aws:///{zone}/i-{number:017x}"}
    if group.taints:
        spec["taints"] = [
            {"key": one.key, "value": one.value, "effect": one.effect} for one in group.taints
        ]
    return {
        "metadata": {
            "name": host,
            "labels": _labels(group, region, zone, host) | group.labels,
            "annotations": {NUMBER: str(number), RELEASE: group.version},
        },
        "spec": spec,
        "status": {
            "capacity": size.capacity(),
            "allocatable": size.allocatable(),
            "addresses": [
                {"type": "InternalIP", "address": address},
                {"type": "Hostname", "address": host},
            ],
            "nodeInfo": _info(number, f"v{kubernetes_version}.0-eks-local"),
        },
    }


def number_of(node: Object) -> int:
    """Which node of the cluster it is; 0 for one that is not ours."""
    return int(annotations(node).get(NUMBER, "0"))


def zone_of(node: Object) -> str | None:
    """The zone that a node is in."""
    return labels(node).get(ZONE_LABEL)


def node_address(cidr: str, zone: int, number: int) -> str:
    """An address of the zone's quarter of the Region's range; no two nodes share one."""
    network = ip_network(cidr)
    quarter = network.num_addresses // 4
    return str(network[zone * quarter + 256 * (number // HOSTS) + 10 + number % HOSTS])


def _labels(group: NodeGroup, region: Region, zone: str, host: str) -> dict[str, str]:
    return {
        "role": group.name,
        GROUP_LABEL: group.name,
        "eks.amazonaws.com/capacityType": "ON_DEMAND",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": host,
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": group.instance_type,
        "topology.kubernetes.io/region": region.name,
        ZONE_LABEL: zone,
    }


def _info(number: int, version: str) -> dict[str, str]:
    identity = f"ec2{number:029x}"
    return {
        "architecture": "amd64",
        "bootID": identity,
        "containerRuntimeVersion": "containerd://2.1.4",
        "kernelVersion": "6.12.53",
        "kubeProxyVersion": version,
        "kubeletVersion": version,
        "machineID": identity,
        "operatingSystem": "linux",
        "osImage": "Amazon Linux 2023",
        "systemUUID": identity,
    }
