"""Kubernetes calls in the log: named in Kubernetes' own words."""

import pytest

from platform_pipelines.local.cluster_port import operation

NS = "/api/v1/namespaces"
APPS = "/apis/apps/v1"


@pytest.mark.parametrize(
    ("method", "path", "query", "named"),
    [
        ("GET", "/api/v1/nodes", "", "list nodes"),
        ("GET", "/api/v1/nodes/n1", "", "get nodes"),
        ("GET", "/api/v1/pods", "watch=true", "watch pods"),
        ("GET", f"{NS}", "", "list namespaces"),
        ("GET", f"{NS}/web", "", "get namespaces"),
        ("PUT", f"{NS}/web/finalize", "", "update namespaces/finalize"),
        ("GET", f"{NS}/web/pods", "", "list pods"),
        ("GET", f"{NS}/web/pods/p1/log", "", "get pods/log"),
        ("DELETE", f"{NS}/web/pods", "", "deletecollection pods"),
        ("DELETE", f"{NS}/web/pods/p1", "", "delete pods"),
        ("POST", f"{NS}/web/pods/p1/eviction", "", "create pods/eviction"),
        ("GET", f"{APPS}/deployments", "watch=1", "watch deployments"),
        ("PATCH", f"{APPS}/namespaces/web/deployments/d/scale", "", "patch deployments/scale"),
        (
            "POST",
            "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications",
            "",
            "create applications",
        ),
        ("GET", "/version", "", "get /version"),
        ("GET", "/apis", "", "get /apis"),
        ("GET", "/apis/apps/v1", "", "get /apis/apps/v1"),
    ],
)
def test_a_call_is_named_by_its_verb_and_resource(
    method: str, path: str, query: str, named: str
) -> None:
    """Subresources included; what is no object keeps its path."""
    assert operation(method, path, query) == named
