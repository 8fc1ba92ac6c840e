"""The Kubernetes API of one EKS cluster: the official client, reached as production reaches it.

The endpoint and the CA come from `describe_cluster`, the token is a presigned call to the Regional
STS endpoint of the cluster's own Region, so nothing here depends on another Region or on a
kubeconfig. Every call has a time limit, and every error is a `KubeError`. Used by readiness,
provisioning and failover. https://docs.aws.amazon.com/eks/latest/userguide/cluster-auth.html
"""

import json
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from platform_pipelines.aws import eks
from platform_pipelines.aws.region import AwsError, AwsRegion
from platform_pipelines.errors import Failed
from platform_pipelines.kube.token import Bearer, token

if TYPE_CHECKING:
    from kubernetes import client

PAGE = 500


@dataclass
class KubeError(Failed):
    """A cluster refused a call, broke, or did not answer."""

    cluster: str
    where: str  # method and path, or what came before the first call
    reason: str
    status: int | None = None  # of HTTP; None when nothing answered

    @property
    def missing(self) -> bool:
        """Whether the cluster answered that there is no such object."""
        return self.status == HTTPStatus.NOT_FOUND

    def __str__(self) -> str:
        answer = f"{self.status} {self.reason}" if self.status else self.reason
        return f"Cluster {self.cluster}, {self.where}: {answer}. {self._next()}"

    def _next(self) -> str:
        match self.status:
            case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
                return "Give this controller's IAM role an access entry of the cluster."
            case HTTPStatus.NOT_FOUND:
                return "Look whether the object, or the CRD of its kind, was ever installed."
            case None:
                return (
                    "Look whether the cluster is ACTIVE, the Region answers, and we may reach it."
                )
        return "Look at the cluster's API server log, then try again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long one call may take, in real seconds, and how often a call is tried again."""

    connect: float = 2.0
    read: float = 5.0
    retries: int = 1


@dataclass(frozen=True)
class Cluster:
    """One cluster's API: the official clients, and plain objects by path."""

    name: str
    alias: str  # of the Region that it runs in
    api: "client.ApiClient" = field(repr=False)

    @cached_property
    def core(self) -> "client.CoreV1Api":
        from kubernetes import client

        return client.CoreV1Api(self.api)

    @cached_property
    def apps(self) -> "client.AppsV1Api":
        from kubernetes import client

        return client.AppsV1Api(self.api)

    @cached_property
    def custom(self) -> "client.CustomObjectsApi":
        from kubernetes import client

        return client.CustomObjectsApi(self.api)

    def read(self, path: str, **query: str | int) -> dict[str, Any]:
        """The JSON object at a path, as the API sends it: the official client's models refuse what
        they do not know. Raises: KubeError."""
        return self._send("GET", f"{path}?{urlencode(query)}" if query else path, None, {})

    def patch(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Merge `body` into the object at a path. Raises: KubeError."""
        return self._send("PATCH", path, body, {"Content-Type": "application/merge-patch+json"})

    def delete(self, path: str, **options: str | int) -> dict[str, Any]:
        """Delete the object at a path. Raises: KubeError, `missing` if it is not there."""
        return self._send("DELETE", path, options or None, {"Content-Type": "application/json"})

    def _send(
        self, method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str]
    ) -> dict[str, Any]:
        url = f"{self.api.configuration.host}{path}"
        response = self.api.call_api(method, url, {"Accept": "application/json", **headers}, body)
        data: bytes = response.read()  # type: ignore[no-untyped-call]
        if not HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
            raise KubeError(self.name, f"{method} {path}", message_of(data), response.status)
        parsed: dict[str, Any] = json.loads(data)
        return parsed

    def list(self, path: str, **query: str | int) -> list[dict[str, Any]]:
        """All objects of a collection, page by page. Raises: KubeError."""
        items: list[dict[str, Any]] = []
        query = {"limit": PAGE, **query}
        while True:
            page = self.read(path, **query)
            items += page.get("items") or []
            more = page.get("metadata", {}).get("continue")
            if not more:
                return items
            query = {**query, "continue": more}


def connect(region: AwsRegion, cluster_name: str, limits: Limits | None = None) -> Cluster:
    """The cluster of this name in a Region. Raises: KubeError when EKS does not know or does not
    answer; the Kubernetes API itself is asked by the first call."""
    limits = limits or Limits()
    try:
        state = eks.describe_cluster(region, cluster_name)
    except AwsError as error:
        raise KubeError(cluster_name, f"describe_cluster in {region.alias}", str(error)) from error
    if state is None or not state.endpoint or not state.ca:
        what = "there is no such cluster" if state is None else f"it is {state.status}, no endpoint"
        raise KubeError(cluster_name, f"describe_cluster in {region.alias}", what)
    from platform_pipelines.kube.api_client import ApiClient, configuration

    bearer = Bearer(lambda: token(region, cluster_name))
    reached = configuration(state.endpoint, state.ca, limits)
    api = ApiClient(reached, cluster_name, bearer, limits)
    api.user_agent = region.settings.user_agent
    return Cluster(name=cluster_name, alias=region.alias, api=api)


def message_of(body: str | bytes | None) -> str:
    """The message of a Kubernetes Status, or the body as it is."""
    try:
        message = json.loads(body or "")["message"]
    except (ValueError, KeyError, TypeError):
        text = body.decode(errors="replace") if isinstance(body, bytes) else body or ""
        return text.strip()[:200]
    return str(message)
