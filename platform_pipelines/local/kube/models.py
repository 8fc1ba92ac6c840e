"""The schemas of the built-in kinds, read off the official client's own models.

Those are generated from the API's specification, so fields, types and what is required are the
API's. Only the merge keys are not in them; they stand here.
https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy
"""

import re
from functools import cache

from kubernetes import client

from platform_pipelines.local.kube.schema import (
    ANY,
    BOOLEAN,
    BYTES,
    INT_OR_STRING,
    INTEGER,
    NUMBER,
    QUANTITY,
    STRING,
    TIME,
    Fields,
    Schema,
    Type,
)

_SCALARS = {
    "str": STRING,
    "int": INTEGER,
    "float": NUMBER,
    "bool": BOOLEAN,
    "datetime": TIME,
    "bytes": BYTES,
    "object": ANY,
}
_NAME = ("name",)
_CONTAINER_LISTS = {
    "env": _NAME,
    "ports": ("containerPort", "protocol"),
    "volumeDevices": ("devicePath",),
    "volumeMounts": ("mountPath",),
}
_LIST_KEYS: dict[str, dict[str, tuple[str, ...]]] = {
    "V1ObjectMeta": {"ownerReferences": ("uid",)},
    "V1PodSpec": {
        "containers": _NAME,
        "initContainers": _NAME,
        "ephemeralContainers": _NAME,
        "volumes": _NAME,
        "imagePullSecrets": _NAME,
        "resourceClaims": _NAME,
        "schedulingGates": _NAME,
        "hostAliases": ("ip",),
        "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    },
    "V1PodStatus": {"podIPs": ("ip",), "conditions": ("type",), "resourceClaimStatuses": _NAME},
    "V1Container": _CONTAINER_LISTS,
    "V1EphemeralContainer": _CONTAINER_LISTS,
    "V1ContainerStatus": {"volumeMounts": ("mountPath",)},
    "V1ResourceRequirements": {"claims": _NAME},
    "V1ServiceSpec": {"ports": ("port", "protocol")},
    "V1ServiceAccount": {"secrets": _NAME},
    "V1NodeStatus": {"addresses": ("type",), "conditions": ("type",)},
}
_SETS = {"V1ObjectMeta": {"finalizers"}, "V1NodeSpec": {"podCIDRs"}, "V1Endpoint": {"addresses"}}
_ATOMIC_MAPS = {"V1PodSpec": {"nodeSelector"}, "V1ServiceSpec": {"selector"}}
_ATOMIC_MODELS = frozenset(
    {
        "V1ConfigMapKeySelector",
        "V1SecretKeySelector",
        "V1FileKeySelector",
        "V1LocalObjectReference",
        "V1TypedLocalObjectReference",
        "V1ObjectReference",
        "V1SecretReference",
        "V1ObjectFieldSelector",
        "V1ResourceFieldSelector",
        "V1NodeSelector",
        "V1NodeSelectorTerm",
        "V1LabelSelector",
        "V1OwnerReference",
        "V1EndpointAddress",
        "V1ServiceBackendPort",
        "V1RoleRef",
        "RbacV1Subject",
        "CoreV1EndpointPort",
        "DiscoveryV1EndpointPort",
        "V1ScopeSelector",
        "V1TopologySelectorTerm",
        "V1CrossVersionObjectReference",
    }
)
_QUANTITIES = frozenset({"limits", "requests", "capacity", "allocatable", "hard", "used"})
_QUANTITY_MODELS = re.compile(r"V1Resource|V1VolumeResource|V1Node|V1Persistent|V1ContainerStatus")
_INT_OR_STRING = frozenset({"port", "targetPort", "maxSurge", "maxUnavailable", "minAvailable"})
_MAP = re.compile(r"(?:dict\(str, |Dict\[str, )(.+)[)\]]")
_LIST = re.compile(r"[lL]ist\[(.+)\]")


@cache
def of_model(name: str) -> Schema:
    """The schema of one of the official client's models."""
    model = getattr(client, name)
    aliases = model.attribute_map
    required = {
        aliases[attribute]
        for attribute, field in model.model_fields.items()
        if field.is_required() and attribute in aliases
    }
    return Schema(
        type=Type.OBJECT,
        name=name,
        fields_of=lambda: _fields(name),
        required=frozenset(required),
        atomic=name in _ATOMIC_MODELS,
    )


def _fields(model_name: str) -> Fields:
    model = getattr(client, model_name)
    return {
        model.attribute_map[attribute]: _field(model_name, model.attribute_map[attribute], text)
        for attribute, text in model.openapi_types.items()
    }


def _field(model: str, name: str, text: str) -> Schema:
    if found := _LIST.fullmatch(text):
        keys = _LIST_KEYS.get(model, {}).get(name, ())
        if name == "conditions" and model.endswith("Status") and model != "V1JobStatus":
            keys = ("type",)
        unique = name in _SETS.get(model, ())
        return Schema(type=Type.LIST, items=_typed(found[1]), keys=keys, unique=unique)
    if found := _MAP.fullmatch(text):
        quantities = name in _QUANTITIES and _QUANTITY_MODELS.match(model)
        items = QUANTITY if quantities else _typed(found[1])
        return Schema(type=Type.MAP, items=items, atomic=name in _ATOMIC_MAPS.get(model, ()))
    if text == "object" and name in _INT_OR_STRING:
        return INT_OR_STRING
    return _typed(text)


def _typed(text: str) -> Schema:
    if text in _SCALARS:
        return _SCALARS[text]
    if found := _LIST.fullmatch(text):
        return Schema(type=Type.LIST, items=_typed(found[1]))
    if found := _MAP.fullmatch(text):
        return Schema(type=Type.MAP, items=_typed(found[1]))
    return of_model(text)
