"""The rules for names, labels and annotations that every object keeps.

https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
"""

import re
from collections.abc import Iterator
from typing import Any

from platform_pipelines.local.kube import kinds
from platform_pipelines.local.kube.faults import Cause
from platform_pipelines.local.kube.kinds import Kind
from platform_pipelines.local.kube.objects import Obj, meta

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_LABEL_NAMES = (kinds.NAMESPACE, kinds.SERVICE)
_ANY_NAMES = (kinds.ROLE, kinds.ROLE_BINDING, kinds.CLUSTER_ROLE, kinds.CLUSTER_ROLE_BINDING)
_ANNOTATIONS_BYTES = 256 * 1024

DNS_LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
DNS_SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
QUALIFIED_NAME = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end "
    "with an alphanumeric character"
)


def required(field: str, why: str = "") -> Cause:
    """A field that must have a value."""
    message = f"Required value: {why}" if why else "Required value"
    return Cause(reason="FieldValueRequired", message=message, field=field)


def invalid(field: str, value: Any, why: str) -> Cause:
    """A value that breaks a rule."""
    shown = f'"{value}"' if isinstance(value, str) else str(value)
    message = f"Invalid value: {shown}: {why}"
    return Cause(reason="FieldValueInvalid", message=message, field=field)


def is_label(text: str) -> bool:
    """Whether a text is a DNS label."""
    return len(text) <= 63 and _LABEL.fullmatch(text) is not None


def is_subdomain(text: str) -> bool:
    """Whether a text is a DNS subdomain."""
    return len(text) <= 253 and _SUBDOMAIN.fullmatch(text) is not None


def is_config_key(text: str) -> bool:
    """Whether a ConfigMap or a Secret may have this key."""
    return len(text) <= 253 and _CONFIG_KEY.fullmatch(text) is not None


def is_qualified(text: str) -> bool:
    """Whether a text can be the key of a label or an annotation."""
    prefix, slash, name = text.rpartition("/")
    if slash and not is_subdomain(prefix):
        return False
    return len(name) <= 63 and _QUALIFIED.fullmatch(name) is not None


def is_label_value(text: str) -> bool:
    """Whether a text can be the value of a label."""
    return text == "" or (len(text) <= 63 and _QUALIFIED.fullmatch(text) is not None)


def metadata(kind: Kind, obj: Obj) -> Iterator[Cause]:
    """What is wrong with an object's metadata."""
    yield from _name(kind, str(meta(obj).get("name") or ""), bool(meta(obj).get("generateName")))
    yield from labels(meta(obj).get("labels") or {}, "metadata.labels")
    annotations = meta(obj).get("annotations") or {}
    for key in annotations:
        if not is_qualified(key.lower()):
            yield invalid("metadata.annotations", key, QUALIFIED_NAME)
    if sum(len(key) + len(value) for key, value in annotations.items()) > _ANNOTATIONS_BYTES:
        message = f"Too long: may not be more than {_ANNOTATIONS_BYTES} bytes"
        yield Cause(reason="FieldValueTooLong", message=message, field="metadata.annotations")
    for finalizer in meta(obj).get("finalizers") or []:
        if not is_qualified(finalizer):
            yield invalid("metadata.finalizers", finalizer, QUALIFIED_NAME)


def labels(found: dict[str, str], field: str) -> Iterator[Cause]:
    """What is wrong with a map of labels."""
    for key, value in found.items():
        if not is_qualified(key):
            yield invalid(field, key, QUALIFIED_NAME)
        if not is_label_value(value):
            yield invalid(
                field, value, f"a valid label must be an empty string or: {QUALIFIED_NAME}"
            )


def _name(kind: Kind, name: str, generated: bool) -> Iterator[Cause]:
    if not name:
        if not generated:
            yield required("metadata.name", "name or generateName is required")
        return
    if kind in _ANY_NAMES:
        if "/" in name or "%" in name or name in (".", ".."):
            yield invalid("metadata.name", name, "may not contain '/' or '%'")
    elif kind in _LABEL_NAMES and not is_label(name):
        yield invalid("metadata.name", name, DNS_LABEL)
    elif not is_subdomain(name):
        yield invalid("metadata.name", name, DNS_SUBDOMAIN)
