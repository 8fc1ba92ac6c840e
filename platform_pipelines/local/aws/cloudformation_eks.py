"""What the resource types of EKS share, and the type of node groups, which have no count."""

import json
from typing import Any

from platform_pipelines.local.aws.cloudformation_retag import retag
from platform_pipelines.local.aws.cloudformation_types import (
    Existing,
    Look,
    Made,
    Properties,
    ResourceType,
    changed,
    judge,
    parameters,
)
from platform_pipelines.local.aws.service import Params


def _first_word(name: str) -> str:
    return name[:1].lower() + name[1:]


class EksType(ResourceType):
    """A type whose tags change by ARN."""

    def retag(self, arn: str, old: Properties, new: Properties) -> None:
        retag(self.call, "eks", {"resourceArn": arn}, old.get("Tags"), new.get("Tags"))


class NodeGroup(EksType):
    """AWS::EKS::Nodegroup. Without a ScalingConfig EKS's own default counts; an update of anything
    else leaves the counts alone."""

    name = "AWS::EKS::Nodegroup"
    create_only = (
        *("CapacityType", "NodegroupName", "RemoteAccess", "NodeRole", "ClusterName"),
        *("InstanceTypes", "DiskSize", "AmiType", "Subnets"),
    )
    custom_name = "NodegroupName"
    reads = frozenset(
        {
            *("ClusterName", "NodegroupName", "NodeRole", "InstanceTypes", "AmiType", "Labels"),
            *("CapacityType", "LaunchTemplate", "ScalingConfig", "Subnets", "Tags", "Taints"),
            *("UpdateConfig", "Version"),
        }
    )

    def create(self, props: Properties) -> Made:
        params = parameters("eks", "CreateNodegroup", props)
        group = self.call("eks", "CreateNodegroup", params)["nodegroup"]
        return self._made(group)

    def update(self, one: Existing, new: Properties) -> Made:
        self._next(one, new)
        group = self.call("eks", "DescribeNodegroup", _key(one.id))["nodegroup"]
        self.retag(group["nodegroupArn"], one.properties, new)
        return self._made(group)

    def go_on(self, one: Existing, new: Properties) -> bool:
        return not self._next(one, new)

    def _next(self, one: Existing, new: Properties) -> bool:
        """Ask for the first change that is still to come: EKS takes one update at a time. False if
        none is. Raises: Fault."""
        key, names = _key(one.id), changed(one.properties, new)
        found = self.call("eks", "DescribeNodegroup", key)["nodegroup"]
        version = {"Version", "ReleaseVersion", "LaunchTemplate"} & names & new.keys()
        wanted = {name: new[name] for name in version}
        params = parameters("eks", "UpdateNodegroupVersion", wanted)
        if params and not is_there(params, found):
            self.call("eks", "UpdateNodegroupVersion", params | key)
            return True
        config = _configuration(one.properties, new, names)
        if config and not _is_configured(config, found):
            self.call("eks", "UpdateNodegroupConfig", config | key)
            return True
        return False

    def delete(self, one: Existing) -> None:
        self.call("eks", "DeleteNodegroup", _key(one.id))

    def look(self, one: Existing) -> Look:
        found = self.call("eks", "DescribeNodegroup", _key(one.id))["nodegroup"]
        issues = found.get("health", {}).get("issues", [])
        return Look(
            condition=judge(
                found["status"],
                ready=("ACTIVE", "DEGRADED"),
                failed=("CREATE_FAILED", "DELETE_FAILED"),
            ),
            reason="; ".join(issue.get("message", "") for issue in issues),
            made=self._made(found),
            actual=_actual(found, one.properties),
        )

    def identify(self, props: Properties) -> str | None:
        cluster, name = props.get("ClusterName"), props.get("NodegroupName")
        return f"{cluster}/{name}" if cluster and name else None

    @staticmethod
    def _made(group: dict[str, Any]) -> Made:
        """Ref is `<cluster>/<node group>`."""
        cluster, name = group["clusterName"], group["nodegroupName"]
        return Made(
            id=f"{cluster}/{name}",
            attributes={
                "Arn": group["nodegroupArn"],
                "ClusterName": cluster,
                "NodegroupName": name,
                "Id": f"{cluster}/{name}",
            },
        )


def is_there(wanted: Any, found: Any) -> bool:
    """Whether everything that is wanted is found; more may be."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return all(is_there(value, found.get(name)) for name, value in wanted.items())
    if isinstance(wanted, list) and isinstance(found, list):
        return sorted(map(_text, wanted)) == sorted(map(_text, found))
    return bool(wanted == found)


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _key(id_: str) -> dict[str, str]:
    cluster, _, name = id_.partition("/")
    return {"clusterName": cluster, "nodegroupName": name}


def _configuration(old: Properties, new: Properties, names: set[str]) -> Params:
    """What UpdateNodegroupConfig has to say, all in one call."""
    params: Params = {}
    for name in names & {"ScalingConfig", "UpdateConfig", "NodeRepairConfig"} & new.keys():
        params |= parameters("eks", "UpdateNodegroupConfig", {name: new[name]})
    if "Labels" in names:
        before, after = old.get("Labels", {}), new.get("Labels", {})
        gone = sorted(before.keys() - after.keys())
        params["labels"] = {"addOrUpdateLabels": after, "removeLabels": gone}
    if "Taints" in names:
        had, wanted = _lower(old.get("Taints", [])), _lower(new.get("Taints", []))
        dropped = [taint for taint in had if taint not in wanted]
        params["taints"] = {"addOrUpdateTaints": wanted, "removeTaints": dropped}
    return params


def _is_configured(config: Params, group: dict[str, Any]) -> bool:
    labels, taints = config.get("labels", {}), config.get("taints", {})
    rest = {name: value for name, value in config.items() if name not in ("labels", "taints")}
    has, tainted = group.get("labels", {}), group.get("taints", [])
    return (
        is_there(rest, group)
        and is_there(labels.get("addOrUpdateLabels", {}), has)
        and not has.keys() & set(labels.get("removeLabels", []))
        and all(taint in tainted for taint in taints.get("addOrUpdateTaints", []))
        and not any(taint in tainted for taint in taints.get("removeTaints", []))
    )


def _actual(group: dict[str, Any], wanted: Properties) -> Properties:
    """A node group as a template would have it; of its launch template what the template says."""
    template = _upper(group.get("launchTemplate", {}))
    return {
        "AmiType": group.get("amiType"),
        "CapacityType": group.get("capacityType"),
        "ClusterName": group["clusterName"],
        "InstanceTypes": group.get("instanceTypes", []),
        "Labels": group.get("labels", {}),
        "LaunchTemplate": {key: template.get(key) for key in wanted.get("LaunchTemplate", {})},
        "NodegroupName": group["nodegroupName"],
        "NodeRole": group["nodeRole"],
        "ScalingConfig": _upper(group.get("scalingConfig", {})),
        "Subnets": group["subnets"],
        "Tags": group.get("tags", {}),
        "Taints": [_upper(taint) for taint in group.get("taints", [])],
        "UpdateConfig": _upper(group.get("updateConfig", {})),
        "Version": group["version"],
    }


def _upper(record: dict[str, Any]) -> dict[str, Any]:
    return {key[:1].upper() + key[1:]: value for key, value in record.items()}


def _lower(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{_first_word(key): value for key, value in record.items()} for record in records]
