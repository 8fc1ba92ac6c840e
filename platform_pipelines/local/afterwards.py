"""What must be true after Seoul was lost, asked of AWS, Kubernetes and DNS without the product.

The demo ends with these questions, put through boto3, the Kubernetes client and a DNS client, so
that "DEMO OK" is not the product's word about itself. Each finding is a sentence; none means well.
"""

from collections.abc import Callable, Iterator
from typing import Any

import dns.resolver
from kubernetes import client, config

from platform_pipelines.local.stage import Stage
from platform_pipelines.model import Region

Check = Callable[[Stage, Region], Iterator[str]]


def problems(stage: Stage, active: Region, calls_before: int) -> list[str]:
    """Everything that is not as it must be with `active` serving."""
    found = [line for check in CHECKS for line in check(stage, active)]
    return found + list(_calls_to_the_dark(stage, active, calls_before))


def _file_systems(stage: Stage, active: Region) -> Iterator[str]:
    efs = stage.aws("efs", active.alias)
    for item in efs.describe_file_systems()["FileSystems"]:
        protection = item["FileSystemProtection"]["ReplicationOverwriteProtection"]
        if item["LifeCycleState"] != "available" or protection != "ENABLED":
            yield f"{item['Name']} is not writable: {item['LifeCycleState']}, {protection}"
    for item in efs.describe_replication_configurations()["Replications"]:
        yield f"{item['SourceFileSystemId']} still replicates"


def _databases(stage: Stage, active: Region) -> Iterator[str]:
    rds = stage.aws("rds", active.alias)
    for item in rds.describe_global_clusters()["GlobalClusters"]:
        members = item["GlobalClusterMembers"]
        writers = [one["DBClusterArn"] for one in members if one["IsWriter"]]
        if len(writers) != 1 or f":{active.name}:" not in writers[0]:
            yield f"the writers of {item['GlobalClusterIdentifier']} are {writers}"


def _node_groups(stage: Stage, active: Region) -> Iterator[str]:
    eks = stage.aws("eks", active.alias)
    cluster = stage.options.platform.cluster_name(active)
    for group in stage.options.platform.node_groups:
        found = eks.describe_nodegroup(clusterName=cluster, nodegroupName=group.name)
        desired = found["nodegroup"]["scalingConfig"]["desiredSize"]
        if desired != group.active:
            yield f"node group {group.name} wants {desired} nodes, not {group.active}"


def _workloads(stage: Stage, active: Region) -> Iterator[str]:
    make: Any = config.new_client_from_config  # it has no types
    api = make(stage.ready["kubeconfig"], context=active.alias)
    nodes: list[Any] = client.CoreV1Api(api).list_node().items
    for group in stage.options.platform.node_groups:
        ready = sum(_ready(node) for node in nodes if node.metadata.labels["role"] == group.name)
        if ready != group.active:
            yield f"{group.name} has {ready} Ready nodes, not {group.active}"
    deployments: list[Any] = client.AppsV1Api(api).list_deployment_for_all_namespaces().items
    if not deployments:
        yield f"{active.alias} has no Deployment"
    for one in deployments:
        if (one.status.ready_replicas or 0) != one.spec.replicas:
            yield f"{one.metadata.name} has {one.status.ready_replicas} of {one.spec.replicas} pods"


def _ready(node: Any) -> bool:
    conditions = node.status.conditions or []
    return any(one.type == "Ready" and one.status == "True" for one in conditions)


def _names(stage: Stage, active: Region) -> Iterator[str]:
    host, _, port = stage.ready["dns"].rpartition(":")
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = [host], int(port)
    for service in stage.options.platform.services:
        answer = resolver.resolve(service.host, "A")
        if active.name not in str(answer.canonical_name):
            yield f"{service.host} leads to {answer.canonical_name}"


def _ledger(stage: Stage, active: Region) -> Iterator[str]:
    platform = stage.options.platform
    table = stage.aws("dynamodb", active.alias)

    def item(sk: str) -> dict[str, Any]:
        key = {"pk": {"S": platform.platform}, "sk": {"S": sk}}
        found = table.get_item(TableName=platform.ledger_table, Key=key, ConsistentRead=True)
        values: dict[str, Any] = found.get("Item", {})
        return {name: next(iter(value.values())) for name, value in values.items()}

    roles = item("roles/current")
    if roles.get("active") != active.alias or int(roles.get("epoch", 0)) < 2:
        yield f"the ledger says {roles}"
    state = item(f"incident/{roles.get('incident')}").get("state")
    if state != "settled":
        yield f"incident {roles.get('incident')} is {state}"


def executed(stage: Stage, calls_before: int) -> list[str]:
    """The change sets that were executed since a call: none, if an apply found nothing to do."""
    return [
        f"{call.region} executed a change set (call {call.n})"
        for call in stage.local.calls(after=calls_before)
        if call.operation == "ExecuteChangeSet"
    ]


def _calls_to_the_dark(stage: Stage, active: Region, calls_before: int) -> Iterator[str]:
    dark = stage.options.platform.other(active.alias)
    calls = [call for call in stage.local.calls(after=calls_before) if call.region == dark.name]
    if not calls:
        yield f"nobody even tried {dark.name}: the call log proves nothing"
    for call in calls:
        if call.outcome == "ok":
            yield f"call {call.n} to {dark.name} succeeded: {call.service} {call.operation}"


CHECKS: tuple[Check, ...] = (_file_systems, _databases, _node_groups, _workloads, _names, _ledger)
