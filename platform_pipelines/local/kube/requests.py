"""One request to the Kubernetes API, read from its method, path and query: who wants what of which.

https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl, unquote

import yaml

from platform_pipelines.local.kube import faults, kinds, protobuf
from platform_pipelines.local.kube.admission import Strictness
from platform_pipelines.local.kube.kinds import Kind
from platform_pipelines.local.kube.models import of_model
from platform_pipelines.local.kube.objects import Obj
from platform_pipelines.local.kube.protobuf import NotProtobuf
from platform_pipelines.local.kube.shape import Problem, shaped

_MEDIA_TYPES = ("application/json", "application/yaml", protobuf.MEDIA_TYPE)
_READABLE = ("json", "*/*", "application/*")  # what an Accept header may name
_NOT_SERVED = frozenset(
    {
        (kinds.POD, "attach"),
        (kinds.POD, "ephemeralcontainers"),
        (kinds.POD, "exec"),
        (kinds.POD, "log"),
        (kinds.POD, "portforward"),
        (kinds.POD, "proxy"),
        (kinds.POD, "resize"),
        (kinds.SERVICE, "proxy"),
        (kinds.NODE, "proxy"),
        (kinds.SERVICE_ACCOUNT, "token"),
    }
)
_OWN_SUBRESOURCES = ("status", "finalize")


class Verb(StrEnum):
    """What is done, as RBAC and audit logs name it."""

    GET = "get"
    LIST = "list"
    WATCH = "watch"
    CREATE = "create"
    UPDATE = "update"
    PATCH = "patch"
    DELETE = "delete"
    DELETE_COLLECTION = "deletecollection"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The objects, or the one object, that a path names."""

    kind: Kind
    namespace: str = ""
    name: str = ""
    subresource: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request for objects."""

    verb: Verb
    target: Target
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    user: str = ""  # who asks, as the authenticator knows them

    @property
    def content_type(self) -> str:
        """The media type of the body, without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def dry_run(self) -> bool:
        """Whether nothing may be stored. Raises: KubeFault, for a mode that there is not."""
        mode = self.query.get("dryRun", "")
        if mode not in ("", "All"):
            raise faults.bad_request(f'Invalid value: "{mode}": dryRun must be All')
        return mode == "All"

    @property
    def manager(self) -> str:
        """Who owns the fields that this request writes."""
        named = self.query.get("fieldManager", "")
        return named or self.headers.get("user-agent", "").partition("/")[0] or "unknown"

    @property
    def strictness(self) -> Strictness:
        """What an unknown field leads to. Raises: KubeFault, for a mode that there is not."""
        mode = self.query.get("fieldValidation", "") or Strictness.WARN
        if mode not in list(Strictness):
            allowed = ", ".join(Strictness)
            raise faults.bad_request(f'fieldValidation: "{mode}" is none of {allowed}')
        return Strictness(mode)

    def flag(self, name: str) -> bool:
        """Whether a query parameter says yes."""
        return self.query.get(name, "").lower() in ("1", "t", "true")

    def document(self) -> Any:
        """The body, from JSON, YAML or protobuf. Raises: KubeFault, when it is none of them."""
        if self.content_type == protobuf.MEDIA_TYPE:
            return self._protobuf()
        try:
            return json.loads(self.body)
        except ValueError:
            return self._yaml()

    def obj(self) -> Obj:
        """The body as one object. Raises: KubeFault, when it is none."""
        if self.content_type not in (*_MEDIA_TYPES, ""):
            raise faults.unsupported_media_type(_MEDIA_TYPES)
        found = self.document()
        if not isinstance(found, dict):
            raise faults.bad_request("the object provided is unrecognized")
        return found

    def options(self) -> Obj:
        """The options of a delete; it need not have a body. Raises: KubeFault, when it is none."""
        found = self.document() if self.body.strip() else {}
        options, flaws = shaped(found, of_model("V1DeleteOptions"))
        if any(flaw.problem is Problem.TYPE for flaw in flaws):
            raise faults.bad_request("the body of the request is no DeleteOptions")
        decoded: Obj = options
        return decoded

    def grace_seconds(self, options: Obj) -> int | None:
        """The seconds that a delete gives. Raises: KubeFault, when they are no number."""
        asked = options.get("gracePeriodSeconds", self.query.get("gracePeriodSeconds"))
        if asked is None:
            return None
        if not str(asked).isdigit():
            raise faults.bad_request(f"gracePeriodSeconds: {asked!r} is no number of seconds")
        return int(asked)

    def check_accept(self) -> None:
        """See that the client takes what we answer. Raises: KubeFault."""
        accept = self.headers.get("accept", "")
        if accept and not any(form in accept for form in _READABLE):
            raise faults.not_acceptable(["application/json"])

    def _protobuf(self) -> Any:
        try:
            return protobuf.decode(self.body)
        except NotProtobuf as error:
            raise faults.bad_request(str(error)) from None

    def _yaml(self) -> Any:
        if self.content_type == "application/json":
            raise faults.bad_request("the body of the request is no JSON")
        try:
            return yaml.safe_load(self.body)
        except yaml.YAMLError as error:
            raise faults.bad_request(f"error decoding YAML: {error}") from None


def parse_query(text: bytes) -> dict[str, str]:
    """A query string; of a repeated parameter the last value counts."""
    return dict(parse_qsl(text.decode(), keep_blank_values=True))


def parse_headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by their name in small letters."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in raw}


def target(path: str) -> Target | None:
    """What a path below /api or /apis names; None if it is no path of a resource.

    Raises: KubeFault, when there is no such resource.
    """
    parts = [unquote(part) for part in path.strip("/").split("/")]
    match parts:
        case ["api", version, *rest] if rest:
            group = ""
        case ["apis", group, version, *rest] if rest:
            pass
        case _:
            return None
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in _OWN_SUBRESOURCES:
        namespace, rest = rest[1], rest[2:]
    kind = kinds.by_resource(group, version, rest[0])
    if kind is None or len(rest) > 3 or (namespace and not kind.namespaced):
        raise faults.no_such_path()
    name, subresource, *_ = [*rest[1:], "", ""]
    if (kind, subresource) in _NOT_SERVED:
        raise faults.not_implemented(f"{kind.plural}/{subresource}")
    return Target(kind=kind, namespace=namespace, name=name, subresource=subresource)


def verb(method: str, found: Target, query: Mapping[str, str]) -> Verb:
    """What a method means for a target. Raises: KubeFault, when it means nothing."""
    watches = query.get("watch", "").lower() in ("1", "t", "true")
    match method, bool(found.name):
        case "GET" | "HEAD", True:
            return Verb.GET
        case "GET" | "HEAD", False:
            return Verb.WATCH if watches else Verb.LIST
        case "POST", named if not named or found.subresource:
            return Verb.CREATE
        case "PUT", True:
            return Verb.UPDATE
        case "PATCH", True:
            return Verb.PATCH
        case "DELETE", named:
            return Verb.DELETE if named else Verb.DELETE_COLLECTION
    raise faults.method_not_allowed()
