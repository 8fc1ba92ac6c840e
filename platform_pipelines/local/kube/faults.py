"""How the Kubernetes API refuses: an error with the `Status` body that clients read.

https://github.com/kubernetes/community/blob/main/contributors/devel/sig-architecture/api-conventions.md#response-status-kind
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from platform_pipelines.local.kube.kinds import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One reason of a refusal, at one field."""

    reason: str  # FieldValueInvalid, FieldValueRequired, FieldManagerConflict, …
    message: str
    field: str  # spec.replicas

    def body(self) -> dict[str, str]:
        """As `Status.details.causes` has it."""
        return {"reason": self.reason, "message": self.message, "field": self.field}


@dataclass
class KubeFault(Exception):
    """A request that the API refuses."""

    code: int
    reason: str  # as clients compare it: NotFound, Conflict, Invalid, …
    message: str
    details: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)  # of the `Status`, as a list's

    def __str__(self) -> str:
        return f"{self.code} {self.reason}: {self.message}"

    def body(self) -> dict[str, Any]:
        """The `Status` object."""
        status: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.metadata,
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
        }
        return status | ({"details": self.details} if self.details else {})


def _details(kind: Kind, name: str, *, by_resource: bool = True) -> dict[str, Any]:
    details = {"name": name, "group": kind.group}
    details["kind"] = kind.plural if by_resource else kind.kind
    return {key: value for key, value in details.items() if value}


def not_found(kind: Kind, name: str) -> KubeFault:
    """There is no such object."""
    message = f'{kind.resource} "{name}" not found'
    return KubeFault(HTTPStatus.NOT_FOUND, "NotFound", message, _details(kind, name))


def no_such_path() -> KubeFault:
    """There is no such resource."""
    text = "the server could not find the requested resource"
    return KubeFault(HTTPStatus.NOT_FOUND, "NotFound", text)


def already_exists(kind: Kind, name: str) -> KubeFault:
    """A create of a name that is taken."""
    message = f'{kind.resource} "{name}" already exists'
    return KubeFault(HTTPStatus.CONFLICT, "AlreadyExists", message, _details(kind, name))


def conflict(kind: Kind, name: str, why: str) -> KubeFault:
    """A write that rests on something that is no longer so."""
    message = f'Operation cannot be fulfilled on {kind.resource} "{name}": {why}'
    return KubeFault(HTTPStatus.CONFLICT, "Conflict", message, _details(kind, name))


def modified(kind: Kind, name: str) -> KubeFault:
    """A write with an old resourceVersion."""
    why = "the object has been modified; please apply your changes to the latest version and try again"
    return conflict(kind, name, why)


def invalid(kind: Kind, name: str, causes: Sequence[Cause]) -> KubeFault:
    """An object that breaks its kind's rules; every mistake is told."""
    told = [f"{cause.field}: {cause.message}" for cause in causes]
    text = told[0] if len(told) == 1 else f"[{', '.join(told)}]"
    label = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
    details = _details(kind, name, by_resource=False)
    details["causes"] = [cause.body() for cause in causes]
    message = f'{label} "{name}" is invalid: {text}'
    return KubeFault(HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid", message, details)


def bad_request(message: str) -> KubeFault:
    """A request that cannot be understood."""
    return KubeFault(HTTPStatus.BAD_REQUEST, "BadRequest", message)


def unauthorized() -> KubeFault:
    """No token, or one that we do not take."""
    return KubeFault(HTTPStatus.UNAUTHORIZED, "Unauthorized", "Unauthorized")


def not_implemented(what: str) -> KubeFault:
    """Something that a real cluster does and this one does not."""
    text = f"{what} is not implemented by the local Regions"
    return KubeFault(HTTPStatus.NOT_IMPLEMENTED, "NotImplemented", text)


def not_acceptable(allowed: Sequence[str]) -> KubeFault:
    """A form of the answer that there is not."""
    text = (
        "only the following media types are accepted: "
        f"{', '.join(allowed)}; protobuf answers are not implemented by the local Regions"
    )
    return KubeFault(HTTPStatus.NOT_ACCEPTABLE, "NotAcceptable", text)


def method_not_allowed() -> KubeFault:
    """A resource that does not take this verb."""
    text = "the server does not allow this method on the requested resource"
    return KubeFault(HTTPStatus.METHOD_NOT_ALLOWED, "MethodNotAllowed", text)


def unsupported_media_type(allowed: Sequence[str]) -> KubeFault:
    """A body in a form that the resource does not take."""
    text = (
        "the body of the request was in an unknown format - accepted media types include: "
        + ", ".join(allowed)
    )
    return KubeFault(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", text)


def expired(message: str) -> KubeFault:
    """A resourceVersion that is older than what we remember."""
    return KubeFault(HTTPStatus.GONE, "Expired", message)


def expired_page(message: str, token: str) -> KubeFault:
    """A page of a list that is forgotten, with the token that goes on all the same."""
    metadata = {"continue": token}
    return KubeFault(HTTPStatus.GONE, "Expired", message, metadata=metadata)


def too_large_version(asked: int, current: int) -> KubeFault:
    """A resourceVersion that is still to come."""
    details = {
        "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
        "retryAfterSeconds": 1,
    }
    text = f"Too large resource version: {asked}, current: {current}"
    return KubeFault(HTTPStatus.GATEWAY_TIMEOUT, "Timeout", f"Timeout: {text}", details)


def too_many_requests(message: str) -> KubeFault:
    """An eviction that a disruption budget does not allow now."""
    return KubeFault(
        HTTPStatus.TOO_MANY_REQUESTS, "TooManyRequests", message, {"retryAfterSeconds": 10}
    )


def internal(message: str) -> KubeFault:
    """Something that even a real cluster calls an error of its own."""
    return KubeFault(HTTPStatus.INTERNAL_SERVER_ERROR, "InternalError", message)


def terminating(kind: Kind, name: str, namespace: str) -> KubeFault:
    """A create in a namespace that is going away."""
    message = (
        f'{kind.resource} "{name}" is forbidden: unable to create new content in namespace '
        f"{namespace} because it is being terminated"
    )
    details = _details(kind, name)
    details["causes"] = [{"reason": "NamespaceTerminating", "field": "metadata.namespace"}]
    return KubeFault(HTTPStatus.FORBIDDEN, "Forbidden", message, details)


def unprocessable(kind: Kind, obj: dict[str, Any], why: str) -> KubeFault:
    """A JSON patch whose test fails, or that points at nothing."""
    name = str((obj.get("metadata") or {}).get("name", ""))
    text = "the server rejected our request due to an error in our request"
    details = _details(kind, name) | {"causes": [{"message": why}]}
    return KubeFault(HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid", f"{text}: {why}", details)


def too_large(limit: int) -> KubeFault:
    """A body that no object needs."""
    text = f"Request entity too large: limit is {limit}"
    return KubeFault(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "RequestEntityTooLarge", text)
