"""The custom kinds of a local cluster, Argo CD's, and the CustomResourceDefinitions that say so."""

from platform_pipelines.local.kube import application
from platform_pipelines.local.kube.kinds import APP_PROJECT, APPLICATION, Kind
from platform_pipelines.local.kube.models import of_model
from platform_pipelines.local.kube.objects import Obj
from platform_pipelines.local.kube.schema import (
    BOOLEAN,
    INTEGER,
    STRING,
    STRING_MAP,
    STRINGS,
    Schema,
    listed,
    record,
)

_GROUP_KINDS = listed(record("group", "kind", group=STRING, kind=STRING))
_TOKENS = listed(record("iat", exp=INTEGER, iat=INTEGER, id=STRING))
_ROLES = listed(
    record(
        "name",
        description=STRING,
        groups=STRINGS,
        jwtTokens=_TOKENS,
        name=STRING,
        policies=STRINGS,
    )
)
_WINDOWS = listed(
    record(
        andOperator=BOOLEAN,
        applications=STRINGS,
        clusters=STRINGS,
        description=STRING,
        duration=STRING,
        kind=STRING,
        manualSync=BOOLEAN,
        namespaces=STRINGS,
        schedule=STRING,
        syncOverrun=BOOLEAN,
        timeZone=STRING,
    )
)
_ORPHANED = record(
    ignore=listed(record(group=STRING, kind=STRING, name=STRING)),
    warn=BOOLEAN,
)
_PROJECT = record(
    clusterResourceBlacklist=_GROUP_KINDS,
    clusterResourceWhitelist=_GROUP_KINDS,
    description=STRING,
    destinationServiceAccounts=listed(
        record(
            "defaultServiceAccount",
            "server",
            defaultServiceAccount=STRING,
            namespace=STRING,
            server=STRING,
        )
    ),
    destinations=listed(record(name=STRING, namespace=STRING, server=STRING)),
    namespaceResourceBlacklist=_GROUP_KINDS,
    namespaceResourceWhitelist=_GROUP_KINDS,
    orphanedResources=_ORPHANED,
    permitOnlyProjectScopedClusters=BOOLEAN,
    roles=_ROLES,
    signatureKeys=listed(record("keyID", keyID=STRING)),
    sourceNamespaces=STRINGS,
    sourceRepos=STRINGS,
    syncWindows=_WINDOWS,
)
_SCHEMAS: dict[Kind, Schema] = {
    APPLICATION: application.APPLICATION,
    APP_PROJECT: record(
        "metadata",
        "spec",
        apiVersion=STRING,
        kind=STRING,
        metadata=of_model("V1ObjectMeta"),
        spec=_PROJECT,
        status=record(jwtTokensByRole=STRING_MAP),
    ),
}


def of_kind(kind: Kind) -> Schema:
    """The schema of a kind's objects, built in or custom."""
    return of_model(kind.model) if kind.model else _SCHEMAS[kind]


def definitions() -> list[Obj]:
    """The CustomResourceDefinition of each custom kind."""
    return [_definition(kind) for kind in _SCHEMAS]


def _definition(kind: Kind) -> Obj:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {
        "name": kind.version,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
    }
    return {
        "metadata": {"name": kind.resource},
        "spec": {
            "group": kind.group,
            "scope": "Namespaced",
            "names": {"kind": kind.kind, "plural": kind.plural, "shortNames": list(kind.short)},
            "versions": [version],
        },
        "status": {"conditions": [{"type": "Established", "status": "True"}]},
    }
