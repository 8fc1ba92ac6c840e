"""kubectl itself against a cluster's API: what people and scripts type."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.local.kube.api_server import Object, serving

KUBECTL = Path(sys.executable).with_name("kubectl")
Kubectl = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def kubectl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    """Runs kubectl; `stdin` is what `-f -` reads."""
    home = tmp_path_factory.mktemp("kubectl")
    with serving(home / "api") as server:
        config = home / "kubeconfig"
        config.write_text(server.kubeconfig())

        def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [KUBECTL, *arguments],
                env={"KUBECONFIG": str(config), "HOME": str(home), "PATH": "/usr/bin:/bin"},
                input=stdin,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )

        yield run


def manifest(name: str, *, replicas: int = 2, image: str = "nginx:1.2") -> str:
    """A Deployment and its Service."""
    labels = {"app": name}
    pod = {"containers": [{"name": "c", "image": image, "ports": [{"containerPort": 80}]}]}
    spec: Object = {
        "replicas": replicas,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }
    metadata = {"name": name, "namespace": "default"}
    items = [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"selector": labels, "ports": [{"port": 80}]},
        },
    ]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})


def test_apply_creates_changes_and_knows_when_nothing_changed(kubectl: Kubectl) -> None:
    """Client-side, with its three-way merge."""
    created = kubectl("apply", "-f", "-", stdin=manifest("client"))
    assert created.stdout == "deployment.apps/client created\nservice/client created\n"
    again = kubectl("apply", "-f", "-", stdin=manifest("client"))
    assert again.stdout == "deployment.apps/client unchanged\nservice/client unchanged\n"
    changed = kubectl("apply", "-f", "-", stdin=manifest("client", replicas=3))
    assert "deployment.apps/client configured" in changed.stdout
    assert not changed.stderr


def test_diff_shows_what_would_change(kubectl: Kubectl) -> None:
    """By a dry run: exit status 0 without, 1 with a difference."""
    kubectl("apply", "-f", "-", stdin=manifest("differ"))
    assert kubectl("diff", "-f", "-", stdin=manifest("differ")).returncode == 0
    found = kubectl("diff", "-f", "-", stdin=manifest("differ", image="nginx:1.3"))
    assert found.returncode == 1
    assert "+      - image: nginx:1.3" in found.stdout
    shown = kubectl("get", "deployment", "differ", "-o", "jsonpath={..image}")
    assert shown.stdout == "nginx:1.2"


def test_server_side_apply_refuses_what_is_anothers(kubectl: Kubectl) -> None:
    """Until it is forced."""
    apply = ("apply", "--server-side", "-f", "-")
    assert kubectl(*apply, stdin=manifest("server")).returncode == 0
    other = (*apply, "--field-manager", "other")
    refused = kubectl(*other, stdin=manifest("server", replicas=9))
    assert refused.returncode == 1
    assert 'conflict with "kubectl": .spec.replicas' in refused.stderr
    forced = kubectl(*other, "--force-conflicts", stdin=manifest("server", replicas=9))
    assert "deployment.apps/server serverside-applied" in forced.stdout


def test_get_shows_columns(kubectl: Kubectl) -> None:
    """The server decides which."""
    kubectl("apply", "-f", "-", stdin=manifest("shown"))
    head, row = kubectl("get", "deployment", "shown", "-o", "wide").stdout.splitlines()
    assert head.split()[:5] == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    assert row.split()[:2] == ["shown", "0/2"]
    assert "nginx:1.2" in row


def test_scale_set_image_and_label_change_a_deployment(kubectl: Kubectl) -> None:
    """Each by another kind of request."""
    kubectl("apply", "-f", "-", stdin=manifest("changed"))
    for arguments in (
        ("scale", "deployment/changed", "--replicas", "5"),
        ("set", "image", "deployment/changed", "c=nginx:2"),
        ("label", "deployment/changed", "tier=front"),
    ):
        assert kubectl(*arguments).returncode == 0
    found = json.loads(kubectl("get", "deployment", "changed", "-o", "json").stdout)
    assert found["spec"]["replicas"] == 5
    assert found["spec"]["template"]["spec"]["containers"][0]["image"] == "nginx:2"
    assert found["metadata"]["labels"] == {"tier": "front"}


def test_delete_waits_until_it_is_gone(kubectl: Kubectl) -> None:
    """And says so."""
    kubectl("apply", "-f", "-", stdin=manifest("gone"))
    deleted = kubectl("delete", "-f", "-", stdin=manifest("gone"))
    assert deleted.returncode == 0
    assert "NotFound" in kubectl("get", "deployment", "gone").stderr


def test_a_misspelt_field_is_refused_before_anything_is_stored(kubectl: Kubectl) -> None:
    """kubectl asks for strict validation."""
    text = manifest("misspelt").replace('"replicas"', '"replicaz"')
    refused = kubectl("apply", "-f", "-", stdin=text)
    assert 'unknown field "spec.replicaz"' in refused.stderr
    assert kubectl("get", "deployment", "misspelt").returncode == 1


def test_describe_and_explain_find_what_they_need(kubectl: Kubectl) -> None:
    """Events, and the OpenAPI documents."""
    kubectl("apply", "-f", "-", stdin=manifest("described"))
    described = kubectl("describe", "deployment", "described").stdout
    assert "StrategyType:           RollingUpdate" in described
    explained = kubectl("explain", "deployment.spec.strategy.rollingUpdate").stdout
    assert "maxSurge" in explained


def test_wait_and_rollout_follow_a_watch(kubectl: Kubectl) -> None:
    """A namespace that is there already is enough."""
    waited = kubectl("wait", "--for=jsonpath={.status.phase}=Active", "namespace/default")
    assert waited.stdout == "namespace/default condition met\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("namespace", "made"),
        ("deployment", "made", "--image=nginx:1", "--replicas=0", "--port=80"),
        ("configmap", "made", "--from-literal=k=v"),
        ("secret", "generic", "made", "--from-literal=k=v"),
        ("serviceaccount", "made"),
        ("job", "made", "--image=busybox"),
        ("cronjob", "made", "--image=busybox", "--schedule=* * * * *"),
        ("role", "made", "--verb=get", "--resource=pods"),
        ("rolebinding", "made", "--role=made", "--user=u"),
        ("clusterrole", "made", "--verb=get", "--resource=pods"),
        ("clusterrolebinding", "made", "--clusterrole=made", "--user=u"),
        ("poddisruptionbudget", "made", "--selector=a=b", "--min-available=50%"),
        ("ingress", "made", "--rule=host.example.com/path=service:80"),
        ("service", "clusterip", "made", "--tcp=80:8080"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_create_makes_every_kind(kubectl: Kubectl, arguments: tuple[str, ...]) -> None:
    """It sends protobuf, and is answered in JSON."""
    made = kubectl("create", *arguments)
    assert (made.returncode, made.stderr) == (0, "")
    assert made.stdout.endswith("/made created\n")


def test_what_create_sends_is_what_is_kept(kubectl: Kubectl) -> None:
    """Zeros that were said, bytes, numbers or percentages: all arrive as they were meant."""
    kubectl("create", "deployment", "exact", "--image=nginx:1", "--replicas=0", "--port=80")
    kubectl("create", "secret", "generic", "exact", "--from-literal=k=v")
    kubectl("create", "pdb", "exact", "--selector=a=b", "--min-available=50%")
    found = json.loads(kubectl("get", "deployment", "exact", "-o", "json").stdout)
    assert found["spec"]["replicas"] == 0
    assert found["spec"]["template"]["spec"]["containers"][0]["ports"] == [
        {"containerPort": 80, "protocol": "TCP"}
    ]
    assert kubectl("get", "secret", "exact", "-o", "jsonpath={.data.k}").stdout == "dg=="
    budget = kubectl("get", "pdb", "exact", "-o", "jsonpath={.spec.minAvailable}")
    assert budget.stdout == "50%"


def test_logs_and_exec_say_that_nothing_runs(kubectl: Kubectl) -> None:
    """A clear answer instead of a guess."""
    kubectl("run", "silent", "--image=nginx")
    for arguments in (("logs", "silent"), ("exec", "silent", "--", "ls")):
        refused = kubectl(*arguments)
        assert refused.returncode == 1
        assert "not implemented by the local Regions" in refused.stderr


def test_get_reads_in_chunks(kubectl: Kubectl) -> None:
    """All of them, though each page has one."""
    for name in ("one", "two", "three"):
        kubectl("create", "configmap", f"chunk-{name}")
    found = kubectl("get", "configmaps", "--chunk-size=1", "-o", "name").stdout
    assert {f"configmap/chunk-{name}" for name in ("one", "two", "three")} <= set(found.split())


def test_auth_tells_who_asks_and_what_they_may(kubectl: Kubectl) -> None:
    """Everything: whoever has a token is an administrator."""
    assert "kubernetes-admin" in kubectl("auth", "whoami").stdout
    assert kubectl("auth", "can-i", "delete", "nodes").stdout.strip() == "yes"
    assert "*.*" in kubectl("auth", "can-i", "--list").stdout


def test_a_pod_is_evicted_unless_its_budget_forbids(kubectl: Kubectl) -> None:
    """`kubectl drain` sends an eviction for each pod of a node."""
    kubectl("create", "namespace", "drained")
    node = json.dumps({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}})
    kubectl("apply", "-f", "-", stdin=node)
    overrides = json.dumps({"spec": {"nodeName": "n"}})
    kubectl("run", "p", "-n", "drained", "--image=nginx", "--overrides", overrides)
    running = json.dumps({"status": {"phase": "Running"}})
    kubectl("patch", "pod", "p", "-n", "drained", "--subresource=status", "-p", running)
    budget = ("create", "pdb", "guard", "-n", "drained", "--selector=run=p", "--min-available=1")
    kubectl(*budget)
    drain = ("drain", "n", "--force", "--grace-period=0")
    refused = kubectl(*drain, "--timeout=1s")
    assert "disruption budget" in refused.stderr
    kubectl("delete", "pdb", "guard", "-n", "drained")
    assert kubectl(*drain, "--timeout=30s").returncode == 0
    assert kubectl("get", "pods", "-n", "drained", "-o", "name").stdout == ""
