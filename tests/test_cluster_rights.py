"""What Dagster's roles may do in a cluster beside what their code asks of it: the same."""

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml
from kubernetes import client

from cfn.duties import Role, group
from platform_pipelines.kube import argocd, workloads
from platform_pipelines.kube.cluster import Cluster
from platform_pipelines.local.stage import program

FOLDER = Path(__file__).parents[1] / "manifests" / "argocd" / "base"
PATH = re.compile(
    r"/apis?(?:/(?P<group>[a-z0-9.-]+))?/v\d\w*(?:/namespaces/[^/]+)?/(?P<kind>[a-z]+)"
    r"(?:/[^/]+(?P<part>/[a-z]+)?)?"
)
VERBS = {"GET": "list", "PATCH": "patch"}
DEPLOYMENT = {
    "metadata": {"namespace": "web", "name": "peccy-web"},
    "spec": {"replicas": 3, "template": {"spec": {"nodeSelector": {"role": "web"}}}},
}
Right = tuple[str, str, str]  # API group, resource, verb

# All that the modules of a role ask of a cluster.
WORK: dict[Role, tuple[Callable[[Cluster], object], ...]] = {
    Role.READINESS: (
        workloads.nodes,
        workloads.pods,
        workloads.templates,
        argocd.applications,
    ),
    Role.APPLY: (workloads.nodes,),
    Role.FAILOVER: (
        workloads.nodes,
        workloads.deployments,
        lambda cluster: workloads.scale_deployments(cluster, "web", 0),
    ),
}
PACKAGES = {
    Role.READINESS: "readiness",
    Role.APPLY: "provisioning",
    Role.FAILOVER: "failover",
}


@dataclass
class Api:
    """An API that has one Deployment, and notes the right that each request needs."""

    asked: set[Right] = field(default_factory=set)
    configuration: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(host=""))

    def call_api(self, method: str, url: str, *_: object) -> SimpleNamespace:
        path = url.partition("?")[0]
        found = PATH.fullmatch(path)
        assert found, path
        kind = found["kind"] + (found["part"] or "")
        self.asked.add((found["group"] or "", kind, VERBS[method]))
        items = [DEPLOYMENT] if path.endswith("/deployments") else []
        body = json.dumps({"items": items}).encode()
        return SimpleNamespace(status=200, read=lambda: body)


@pytest.mark.parametrize("role", WORK)
def test_a_role_has_the_rights_that_its_code_needs_and_no_others(role: Role) -> None:
    """The rules of the group's ClusterRole are what the requests ask for, one by one."""
    api = Api()
    cluster = Cluster(name="peccy-tokyo", alias="tokyo", api=cast(client.ApiClient, api))
    for work in WORK[role]:
        work(cluster)
    assert _rights(group(role)) == api.asked


@pytest.mark.parametrize("role", PACKAGES)
def test_the_work_of_a_role_is_all_that_its_package_asks_for(role: Role) -> None:
    """A new use of `workloads` or `argocd` in a package must be tried here."""
    folder = Path(workloads.__file__).parents[1] / PACKAGES[role]
    text = "\n".join(path.read_text() for path in folder.rglob("*.py"))
    used = set(re.findall(r"\b(?:workloads|argocd)\.([a-z_]+)\(", text))
    tried = {one.__name__ for one in WORK[role]}
    assert used - {"scale_deployments"} <= tried
    assert ("scale_deployments" in used) is (role is Role.FAILOVER)


@cache
def _objects() -> list[dict[str, Any]]:
    command = [str(program("kubectl")), "kustomize", str(FOLDER)]
    shown = subprocess.run(command, check=True, capture_output=True, text=True)
    return list(yaml.safe_load_all(shown.stdout))


def _rights(name: str) -> set[Right]:
    (role,) = [
        one["roleRef"]["name"]
        for one in _objects()
        if one["kind"] == "ClusterRoleBinding"
        and any(subject["name"] == name for subject in one["subjects"])
    ]
    (rules,) = [
        one["rules"]
        for one in _objects()
        if one["kind"] == "ClusterRole" and one["metadata"]["name"] == role
    ]
    return {
        (api, kind, verb)
        for rule in rules
        for api in rule["apiGroups"]
        for kind in rule["resources"]
        for verb in rule["verbs"]
    }
