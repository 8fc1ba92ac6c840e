"""What one update may change of a node group, and what EKS says when it cannot."""

import json
from collections.abc import Mapping

from platform_pipelines.local.aws.eks_records import PARAMETER, REQUEST, Record
from platform_pipelines.local.aws.eks_updates import Change
from platform_pipelines.local.aws.eks_versions import minor, release
from platform_pipelines.local.aws.service import Fault, Params

_COUNTS = {"minSize": "MinSize", "maxSize": "MaxSize", "desiredSize": "DesiredSize"}
_OURS = ("kubernetes.io/", "k8s.io/", "eks.amazonaws.com/")
_CONFIG = ("scalingConfig", "labels", "taints", "updateConfig", "nodeRepairConfig")


def check_scaling(scaling: Params) -> None:
    """Raises: Fault, if the counts do not fit each other."""
    minimum, desired, maximum = (int(scaling[key]) for key in ("minSize", "desiredSize", "maxSize"))
    if minimum < 0 or maximum < 1:
        raise Fault(PARAMETER, "minSize must be at least 0, maxSize at least 1.")
    if minimum > desired:
        text = f"Minimum capacity {minimum} can't be greater than desired size {desired}"
        raise Fault(PARAMETER, text)
    if desired > maximum:
        text = f"desired capacity {desired} can't be greater than max size {maximum}"
        raise Fault(PARAMETER, text)


def check_labels(labels: Mapping[str, str]) -> None:
    """Raises: Fault, for a label that is Kubernetes' or EKS's own."""
    for key in labels:
        if key.startswith(_OURS):
            raise Fault(PARAMETER, f"Label cannot contain reserved prefix: {key}")


def config_change(record: Record, params: Params) -> Change:
    """What UpdateNodegroupConfig asks for. Raises: Fault."""
    asked = [name for name in _CONFIG if params.get(name)]
    if not asked:
        raise Fault(PARAMETER, "No changes needed for the nodegroup configuration.")
    changed: Record = {}
    if "scalingConfig" in asked:
        changed["scalingConfig"] = record["scalingConfig"] | params["scalingConfig"]
        check_scaling(changed["scalingConfig"])
    if "labels" in asked:
        changed["labels"] = _labels(record["labels"], params["labels"])
    if "taints" in asked:
        changed["taints"] = _taints(record["taints"], params["taints"])
    for name in ("updateConfig", "nodeRepairConfig"):
        if name in asked:
            changed[name] = params[name]
    return Change(
        kind="ConfigUpdate", duration="nodegroup_update", now=changed, listed=_listed(params)
    )


def version_change(record: Record, params: Params, cluster: str) -> Change:
    """What UpdateNodegroupVersion asks for: the cluster's version, unless it names one. Raises:
    Fault."""
    version = params.get("version", cluster)
    if minor(version) > minor(cluster):
        text = f"Requested Nodegroup version {version} is higher than cluster version {cluster}"
        raise Fault(PARAMETER, text)
    if minor(version) < minor(record["version"]):
        text = f"Nodegroup version cannot go back from {record['version']} to {version}"
        raise Fault(REQUEST, text)
    wanted = {"version": version, "releaseVersion": params.get("releaseVersion", release(version))}
    listed = {"Version": version, "ReleaseVersion": wanted["releaseVersion"]}
    if "launchTemplate" in params:
        wanted["launchTemplate"] = record.get("launchTemplate", {}) | params["launchTemplate"]
        listed["LaunchTemplateVersion"] = str(params["launchTemplate"].get("version", ""))
    return Change(
        kind="VersionUpdate", duration="nodegroup_version_update", then=wanted, listed=listed
    )


def _labels(now: Record, asked: Params) -> Record:
    check_labels(asked.get("addOrUpdateLabels", {}))
    gone, added = asked.get("removeLabels", []), asked.get("addOrUpdateLabels", {})
    return {key: value for key, value in now.items() if key not in gone} | dict(added)


def _taints(now: list[Record], asked: Params) -> list[Record]:
    added = asked.get("addOrUpdateTaints", [])
    gone = {(one["key"], one["effect"]) for one in [*added, *asked.get("removeTaints", [])]}
    return [*(one for one in now if (one["key"], one["effect"]) not in gone), *added]


def _listed(params: Params) -> dict[str, str]:
    scaling, labels = params.get("scalingConfig", {}), params.get("labels", {})
    taints, rolling = params.get("taints", {}), params.get("updateConfig", {})
    listed: dict[str, object] = {_COUNTS[key]: value for key, value in scaling.items()}
    listed |= {
        "LabelsToAdd": labels.get("addOrUpdateLabels"),
        "LabelsToRemove": labels.get("removeLabels"),
        "TaintsToAdd": taints.get("addOrUpdateTaints"),
        "TaintsToRemove": taints.get("removeTaints"),
        "MaxUnavailable": rolling.get("maxUnavailable"),
        "MaxUnavailablePercentage": rolling.get("maxUnavailablePercentage"),
    }
    return {key: _text(value) for key, value in listed.items() if value not in (None, [], {})}


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
