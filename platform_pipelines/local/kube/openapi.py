"""The OpenAPI v3 documents of a local cluster: schemas of its kinds, and what each path takes.

kubectl reads them to learn whether the server validates fields and does dry runs, how to merge a
client-side apply, and what `kubectl explain` tells.
"""

import hashlib
from functools import cache
from typing import Any

from kubernetes import client

from platform_pipelines.local.kube import custom, kinds, patch
from platform_pipelines.local.kube.kinds import Kind
from platform_pipelines.local.kube.schema import Schema, Type

Document = dict[str, Any]

_SCALARS: dict[Type, Document] = {
    Type.STRING: {"type": "string"},
    Type.INTEGER: {"type": "integer", "format": "int32"},
    Type.NUMBER: {"type": "number"},
    Type.BOOLEAN: {"type": "boolean"},
    Type.TIME: {"type": "string", "format": "date-time"},
    Type.BYTES: {"type": "string", "format": "byte"},
    Type.QUANTITY: {"oneOf": [{"type": "string"}, {"type": "number"}]},
    Type.INT_OR_STRING: {"oneOf": [{"type": "integer"}, {"type": "string"}]},
    Type.ANY: {"x-kubernetes-preserve-unknown-fields": True},
}
# `/openapi/v2` is empty. kubectl still asks for it before it sends a List, and then lets the server
# validate each item. This is {"swagger": "2.0"} in protobuf, the only form that kubectl takes.
V2 = "\n\x032.0"
V2_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
_PARAMETERS = ("dryRun", "fieldManager", "fieldValidation", "force")


def index() -> Document:
    """`/openapi/v3`: where the document of each group and version is."""
    paths = {}
    for group, version in kinds.versions():
        name = _path(group, version)
        known = f"{client.__version__} {kinds.of_version(group, version)}"
        digest = hashlib.sha256(known.encode()).hexdigest()
        paths[name] = {"serverRelativeURL": f"/openapi/v3/{name}?hash={digest[:32]}"}
    return {"paths": paths}


@cache
def document(group: str, version: str) -> Document | None:
    """`/openapi/v3/apis/<group>/<version>`; None if there is no such version.

    The first time takes up to a second, because the client's models are loaded: call it in a thread.
    """
    found = kinds.of_version(group, version)
    if not found:
        return None
    schemas: Document = {}
    paths: Document = {}
    for kind in found:
        paths |= _paths(kind)
        _describe(kind, custom.of_kind(kind), schemas)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _path(group: str, version: str) -> str:
    return f"apis/{group}/{version}" if group else f"api/{version}"


def _paths(kind: Kind) -> Document:
    base = f"/{_path(kind.group, kind.version)}/"
    collection = base + ("namespaces/{namespace}/" if kind.namespaced else "") + kind.plural
    write = {
        "parameters": [_parameter(name) for name in _PARAMETERS],
        "responses": {"200": {"description": "OK"}},
        "x-kubernetes-group-version-kind": _identity(kind),
    }
    content: Document = {"content": {each: {} for each in patch.types_of(kind)}}
    return {
        collection: {"post": write | {"x-kubernetes-action": "post"}},
        f"{collection}/{{name}}": {
            "put": write | {"x-kubernetes-action": "put"},
            "patch": write | {"x-kubernetes-action": "patch", "requestBody": content},
            "get": {**write, "parameters": [], "x-kubernetes-action": "get"},
        },
    }


def _parameter(name: str) -> Document:
    return {"name": name, "in": "query", "schema": {"type": "string"}}


def _identity(kind: Kind) -> Document:
    return {"group": kind.group, "version": kind.version, "kind": kind.kind}


def _component(name: str) -> str:
    return f"io.k8s.api.{name}"


def _describe(kind: Kind, schema: Schema, schemas: Document) -> None:
    name = schema.name or kind.kind
    schemas[_component(name)] = _object(schema, schemas) | {
        "x-kubernetes-group-version-kind": [_identity(kind)]
    }


def _value(schema: Schema, schemas: Document) -> Document:
    match schema.type:
        case Type.OBJECT if schema.name:
            return _reference(schema, schemas)
        case Type.OBJECT:
            return _object(schema, schemas)
        case Type.MAP:
            items = _value(schema.items, schemas) if schema.items else {}
            return {"type": "object", "additionalProperties": items} | _map_type(schema)
        case Type.LIST:
            items = _value(schema.items, schemas) if schema.items else {}
            return {"type": "array", "items": items} | _list_type(schema)
    return dict(_SCALARS[schema.type])


def _reference(schema: Schema, schemas: Document) -> Document:
    name = _component(schema.name)
    if name not in schemas:
        schemas[name] = {}  # it may contain itself
        schemas[name] = _object(schema, schemas)
    return {"allOf": [{"$ref": f"#/components/schemas/{name}"}], "default": {}}


def _object(schema: Schema, schemas: Document) -> Document:
    told = _descriptions(schema.name)
    properties = {}
    for name, field in schema.fields.items():
        properties[name] = {"description": told.get(name, "")} | _value(field, schemas)
    described: Document = {"type": "object", "properties": properties}
    if schema.required:
        described["required"] = sorted(schema.required)
    return described | _map_type(schema)


def _descriptions(model: str) -> dict[str, str]:
    if not model:
        return {}
    found = getattr(client, model)
    return {
        found.attribute_map[name]: field.description or ""
        for name, field in found.model_fields.items()
        if name in found.attribute_map
    }


def _map_type(schema: Schema) -> Document:
    return {"x-kubernetes-map-type": "atomic"} if schema.atomic else {}


def _list_type(schema: Schema) -> Document:
    if schema.keys:
        return {
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": list(schema.keys),
            "x-kubernetes-patch-strategy": "merge",
            "x-kubernetes-patch-merge-key": schema.keys[0],
        }
    if schema.unique:
        return {"x-kubernetes-list-type": "set", "x-kubernetes-patch-strategy": "merge"}
    return {"x-kubernetes-list-type": "atomic"}
