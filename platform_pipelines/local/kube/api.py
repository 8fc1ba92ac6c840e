"""The Kubernetes API of one local cluster, as an ASGI application.

It answers as a kube-apiserver does for the kinds in `kinds`: discovery, objects, watches, patches,
server-side apply. The server serves it over TLS; the store behind it is shared with the cluster's
controllers. Every request runs in the event loop's thread and is quick; only watches wait.
"""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from platform_pipelines.local.kube import (
    answers,
    discovery,
    faults,
    openapi,
    reads,
    requests,
    reviews,
    writes,
)
from platform_pipelines.local.kube.answers import Answer, Message, Receive, Send
from platform_pipelines.local.kube.auth import Authenticator
from platform_pipelines.local.kube.faults import KubeFault
from platform_pipelines.local.kube.requests import Request, Verb
from platform_pipelines.local.kube.store import Store
from platform_pipelines.local.kube.watch import Watch
from platform_pipelines.local.kube.writes import Written

App = Callable[[Message, Receive, Send], Awaitable[None]]

KUBERNETES = "1.36"
_PUBLIC = ("/version", "/healthz", "/livez", "/readyz")
_HEALTH = _PUBLIC[1:]
_LARGEST_BODY = 3 * 1024 * 1024
_WRITES: dict[Verb, Callable[[Store, Request], Written]] = {
    Verb.CREATE: writes.create,
    Verb.UPDATE: writes.update,
    Verb.PATCH: writes.patch_object,
    Verb.DELETE: writes.delete,
    Verb.DELETE_COLLECTION: writes.delete_collection,
}


def asgi(store: Store, auth: Authenticator, *, kubernetes: str = KUBERNETES) -> App:
    """The application over this store, of this minor version of Kubernetes."""
    return _Api(store, auth, kubernetes)


class _Api:
    def __init__(self, store: Store, auth: Authenticator, kubernetes: str) -> None:
        self._store = store
        self._auth = auth
        self._kubernetes = kubernetes

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await answers.lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _http(self, scope: Message, receive: Receive, send: Send) -> None:
        body = await answers.read(receive)
        headers = requests.parse_headers(scope["headers"])
        try:
            request = self._request(scope, headers, body)
            if request is None:
                answer = await self._document(scope["path"], headers)
            else:
                answer = self._answer(request)
        except KubeFault as fault:
            answer = Answer(body=fault.body(), status=fault.code)
        if isinstance(answer.body, Watch):
            await answers.stream(answer, answer.body, receive, send)
        else:
            await answers.respond(answer, send)

    def _request(self, scope: Message, headers: dict[str, str], body: bytes) -> Request | None:
        """The request for objects; None for another document. Raises: KubeFault."""
        if len(body) > _LARGEST_BODY:
            raise faults.too_large(_LARGEST_BODY)
        path = scope["path"]
        user = self._auth.user(headers.get("authorization", ""))
        if user is None and path.rstrip("/") not in _PUBLIC:
            raise faults.unauthorized()
        target = requests.target(path)
        if target is None:
            return None
        query = requests.parse_query(scope.get("query_string", b""))
        verb = requests.verb(scope["method"], target, query)
        request = Request(
            verb=verb, target=target, query=query, headers=headers, body=body, user=user or ""
        )
        request.check_accept()
        return request

    def _answer(self, request: Request) -> Answer:
        """Answer a request for objects. Raises: KubeFault."""
        if request.target.kind.review:
            return Answer(body=reviews.reviewed(request), status=HTTPStatus.CREATED)
        match request.verb:
            case Verb.GET:
                return Answer(body=reads.get(self._store, request))
            case Verb.LIST:
                return Answer(body=reads.list_objects(self._store, request))
            case Verb.WATCH:
                return Answer(body=Watch(self._store, request))
        written = _WRITES[request.verb](self._store, request)
        return Answer(body=written.obj, status=written.status, warnings=written.warnings)

    async def _document(self, path: str, headers: dict[str, str]) -> Answer:
        """Answer what the API says of itself. Raises: KubeFault, when there is no such path."""
        parts = path.strip("/").split("/")
        if path.rstrip("/") in _HEALTH:
            return Answer(body="ok", content_type="text/plain; charset=utf-8")
        if path in ("/api", "/apis") and "as=APIGroupDiscoveryList" in headers.get("accept", ""):
            body = discovery.aggregated(core=path == "/api")
            return Answer(body=body, content_type=discovery.AGGREGATED)
        if path == "/openapi/v2":
            return Answer(body=openapi.V2, content_type=openapi.V2_TYPE)
        found = await self._described(parts, headers)
        if found is None:
            raise faults.no_such_path()
        return Answer(body=found)

    async def _described(self, parts: list[str], headers: dict[str, str]) -> dict[str, Any] | None:
        match parts:
            case ["version"]:
                return discovery.version(self._kubernetes)
            case ["api"]:
                return discovery.core_versions(headers.get("host", ""))
            case ["apis"]:
                return discovery.groups()
            case ["api", version]:
                return discovery.resources("", version)
            case ["apis", group]:
                return discovery.group(group)
            case ["apis", group, version]:
                return discovery.resources(group, version)
            case ["openapi", "v3"]:
                return openapi.index()
            case ["openapi", "v3", "api", version]:
                return await asyncio.to_thread(openapi.document, "", version)
            case ["openapi", "v3", "apis", group, version]:
                return await asyncio.to_thread(openapi.document, group, version)
        return None
