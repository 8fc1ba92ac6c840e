"""The official Kubernetes client as we use it: time limits, a fresh token, one kind of error.

Apart from `cluster`, because importing the client's models costs as much as importing Dagster: a
process pays for it when it first connects to a cluster, not when it loads the code location.
"""

import base64
from typing import Any
from urllib.parse import urlsplit

import urllib3
from kubernetes import client

from platform_pipelines.aws.region import AwsError
from platform_pipelines.aws.settings import LOOPBACK
from platform_pipelines.kube.cluster import KubeError, Limits, message_of
from platform_pipelines.kube.token import Bearer


class ApiClient(client.ApiClient):
    """The official client with a time limit, a fresh token and one kind of error on every call."""

    def __init__(
        self, settings: client.Configuration, cluster: str, bearer: Bearer, limits: Limits
    ) -> None:
        super().__init__(settings)
        self.cluster = cluster
        self.bearer = bearer
        self.limits = limits

    def call_api(
        self,
        method: str,
        url: str,
        header_params: dict[str, str] | None = None,
        body: Any = None,
        post_params: Any = None,
        _request_timeout: Any = None,
    ) -> Any:
        where = f"{method} {urlsplit(url).path}"
        timeout = _request_timeout or (self.limits.connect, self.limits.read)
        try:
            headers = {**(header_params or {}), "authorization": f"Bearer {self.bearer()}"}
            return super().call_api(method, url, headers, body, post_params, timeout)
        except AwsError as error:
            raise KubeError(self.cluster, f"token for {where}", str(error)) from error
        except urllib3.exceptions.HTTPError as error:
            raise KubeError(self.cluster, where, _brief(error)) from error
        except client.ApiException as error:
            raise KubeError(self.cluster, where, _message(error), error.status or None) from error

    def response_deserialize(self, response_data: Any, response_types_map: Any = None) -> Any:
        try:
            return super().response_deserialize(response_data, response_types_map)
        except client.ApiException as error:
            where = urlsplit(getattr(response_data.response, "url", "") or "").path or "answer"
            raise KubeError(self.cluster, where, _message(error), error.status) from error


class _Retry(urllib3.Retry):
    """Tries again, but not after silence: a dark cluster costs one time limit, not several."""

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: Any = None,
        error: Exception | None = None,
        *rest: Any,
        **named: Any,
    ) -> "_Retry":
        if isinstance(error, urllib3.exceptions.TimeoutError):
            raise error
        return super().increment(method, url, response, error, *rest, **named)


def configuration(endpoint: str, ca: str, limits: Limits) -> client.Configuration:
    """How to reach a cluster: `ca` is base64, as EKS sends it."""
    found = client.Configuration(
        host=endpoint.rstrip("/"),
        ca_cert_data=base64.b64decode(ca).decode(),
        retries=_Retry(
            total=limits.retries,
            status_forcelist=(429, 503),
            raise_on_status=False,
            respect_retry_after_header=False,
            backoff_factor=0.2,
        ),
    )
    if urlsplit(endpoint).hostname in LOOPBACK:
        found.proxy = None
    return found


def _brief(error: urllib3.exceptions.HTTPError) -> str:
    """urllib3 wraps what happened in the story of its retries; the cause is enough."""
    cause = error.reason if isinstance(error, urllib3.exceptions.MaxRetryError) else error
    return str(cause or error)


def _message(error: client.ApiException) -> str:
    return message_of(error.body) or str(error.reason)
