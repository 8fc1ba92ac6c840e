"""Lists in pages: every page shows the objects as they were when the first one was asked for.

A token says of which version the list is and where the last page ended. When that version is
forgotten the client is told 410 with a token that goes on with the objects as they are now.
https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
"""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from platform_pipelines.local.kube import faults
from platform_pipelines.local.kube.objects import Key, Objects, key_of
from platform_pipelines.local.kube.requests import Request
from platform_pipelines.local.kube.store import Store

_NOW = -1  # the version of a token that takes the objects as they are
_TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start "
    "a new list without the continue parameter, or use the continue token in this response to "
    "retrieve the remainder of the results. Continuing with the provided token results in an "
    "inconsistent list - objects that were created, modified, or deleted between the time the "
    "first chunk was returned and now may show up in the list."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """Where a list goes on."""

    version: int
    start: Key  # the last object of the page before

    def __str__(self) -> str:
        text = json.dumps({"v": "meta.k8s.io/v1", "rv": self.version, "start": self.start})
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def version(store: Store, request: Request, asked: int | None) -> int:
    """Of which version a list is. Raises: KubeFault, when it is unknown, or to come."""
    token = _token(request)
    if token is not None:
        if asked:
            raise faults.bad_request(
                "specifying resource version is not allowed when using continue"
            )
        return _continued(store, token)
    if asked is None:
        return store.version
    if asked > store.version:
        raise faults.too_large_version(asked, store.version)
    if request.query.get("resourceVersionMatch") != "Exact":
        return store.version
    if asked < store.history.oldest:
        raise faults.expired("The resourceVersion for the provided list is too old.")
    return asked


def page(request: Request, found: Objects, version: int) -> tuple[Objects, dict[str, Any]]:
    """The part of a list that a request asks for, and the list's metadata. Raises: KubeFault."""
    kind, query = request.target.kind, request.query
    size = _limit(request)
    if token := _token(request):
        found = [obj for obj in found if key_of(kind, obj) > token.start]
    metadata: dict[str, Any] = {"resourceVersion": str(version)}
    if size and len(found) > size:
        last = key_of(kind, found[size - 1])
        metadata["continue"] = str(Token(version=version, start=last))
        if not query.get("labelSelector") and not query.get("fieldSelector"):
            metadata["remainingItemCount"] = len(found) - size
        found = found[:size]
    return found, metadata


def _limit(request: Request) -> int:
    text = request.query.get("limit") or "0"
    if not text.isdigit():
        raise faults.bad_request(f"limit: {text!r} is no number")
    return int(text)


def _continued(store: Store, token: Token) -> int:
    if token.version == _NOW:
        return store.version
    if token.version > store.version:
        raise faults.bad_request("continue key is not valid")
    if token.version < store.history.oldest:
        raise faults.expired_page(_TOO_OLD, str(Token(version=_NOW, start=token.start)))
    return token.version


def _token(request: Request) -> Token | None:
    """The token of a request. Raises: KubeFault, when it is not ours."""
    text = request.query.get("continue", "")
    if not text:
        return None
    try:
        found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        namespace, name = found["start"]
        return Token(version=int(found["rv"]), start=(str(namespace), str(name)))
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise faults.bad_request("continue key is not valid") from None
