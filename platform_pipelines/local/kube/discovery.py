"""What the API says of itself: versions, groups and resources, one by one or aggregated.

Clients find by these which path a kind has. https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
"""

from typing import Any

from platform_pipelines.local.kube import kinds
from platform_pipelines.local.kube.kinds import Kind

Document = dict[str, Any]

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
_SUB_VERBS = ["get", "patch", "update"]
_EVICTION = {"group": "policy", "version": "v1", "kind": "Eviction"}
_SCALE = {"group": "autoscaling", "version": "v1", "kind": "Scale"}


def version(kubernetes: str) -> Document:
    """`/version`. `kubernetes` is a minor version, as 1.36."""
    major, _, minor = kubernetes.partition(".")
    return {
        "major": major,
        "minor": minor,
        "gitVersion": f"v{kubernetes}.0-eks-local",
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "2026-05-01T00:00:00Z",
        "goVersion": "go1.26",
        "compiler": "gc",
        "platform": "linux/amd64",
    }


def core_versions(address: str) -> Document:
    """`/api`."""
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    }


def groups() -> Document:
    """`/apis`."""
    return {
        "kind": "APIGroupList",
        "apiVersion": "v1",
        "groups": [_group(name, [version]) for name, version in kinds.versions() if name],
    }


def group(name: str) -> Document | None:
    """`/apis/<group>`; None if there is no such group."""
    found = [version for each, version in kinds.versions() if each == name]
    if not name or not found:
        return None
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, found)}


def resources(name: str, version: str) -> Document | None:
    """`/api/v1` or `/apis/<group>/<version>`; None if there is no such version."""
    found = kinds.of_version(name, version)
    if not found:
        return None
    entries = [entry for kind in found for entry in (_resource(kind), *_subresources(kind))]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{name}/{version}" if name else version,
        "resources": entries,
    }


def aggregated(*, core: bool) -> Document:
    """`/api` or `/apis` in one document, for clients that ask for it."""
    names = dict.fromkeys(name for name, _ in kinds.versions() if bool(name) is not core)
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": [_aggregated_group(name) for name in names],
    }


def _group(name: str, found: list[str]) -> Document:
    entries = [{"groupVersion": f"{name}/{version}", "version": version} for version in found]
    return {"name": name, "versions": entries, "preferredVersion": entries[0]}


def _resource(kind: Kind) -> Document:
    entry: Document = {
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": _verbs(kind),
    }
    if kind.short:
        entry["shortNames"] = list(kind.short)
    if kind.categories:
        entry["categories"] = list(kind.categories)
    return entry


def _verbs(kind: Kind) -> list[str]:
    return ["create"] if kind.review else _VERBS


def _subresources(kind: Kind) -> list[Document]:
    entries = []
    if kind.status:
        entries.append(_subresource(kind, "status", kind.kind, _SUB_VERBS))
    if kind.scale:
        entries.append(_subresource(kind, "scale", "Scale", _SUB_VERBS) | _foreign(_SCALE))
    if kind is kinds.POD:
        entry = _subresource(kind, "eviction", "Eviction", ["create"])
        entries.append(entry | _foreign(_EVICTION))
    return entries


def _subresource(kind: Kind, name: str, of: str, verbs: list[str]) -> Document:
    return {
        "name": f"{kind.plural}/{name}",
        "singularName": "",
        "namespaced": kind.namespaced,
        "kind": of,
        "verbs": verbs,
    }


def _foreign(kind: dict[str, str]) -> Document:
    return {"group": kind["group"], "version": kind["version"]}


def _aggregated_group(name: str) -> Document:
    versions = [version for each, version in kinds.versions() if each == name]
    return {
        "metadata": {"name": name} if name else {},
        "versions": [
            {
                "version": version,
                "freshness": "Current",
                "resources": [_aggregated(kind) for kind in kinds.of_version(name, version)],
            }
            for version in versions
        ],
    }


def _aggregated(kind: Kind) -> Document:
    entry: Document = {
        "resource": kind.plural,
        "responseKind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": _verbs(kind),
        "shortNames": list(kind.short),
        "categories": list(kind.categories),
    }
    subresources = [
        {
            "subresource": each["name"].partition("/")[2],
            "responseKind": {
                "group": each.get("group", kind.group),
                "version": each.get("version", kind.version),
                "kind": each["kind"],
            },
            "verbs": each["verbs"],
        }
        for each in _subresources(kind)
    ]
    return entry | ({"subresources": subresources} if subresources else {})
