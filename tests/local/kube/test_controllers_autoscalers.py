"""HorizontalPodAutoscalers where nobody measures anything."""

from pathlib import Path

import pytest

from platform_pipelines.local.kube.argocd.health import of_resource
from platform_pipelines.local.kube.kinds import DEPLOYMENT, HORIZONTAL_POD_AUTOSCALER
from tests.local.kube.hand_world import Clusters, Object, conditions, deployment


@pytest.fixture
def clusters(tmp_path: Path) -> Clusters:
    """Seoul without nodes."""
    made = Clusters(tmp_path)
    made.start()
    return made


def autoscaler(target: str, **bounds: int) -> Object:
    """One for a Deployment, by its processors."""
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}
    return {
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"scaleTargetRef": reference, "minReplicas": 1, "maxReplicas": 9, **bounds},
    }


def scaled(clusters: Clusters, replicas: int, **bounds: int) -> Object:
    """The autoscaler of a Deployment with so many replicas, when it has looked."""
    clusters.seoul.create(DEPLOYMENT, deployment(replicas=replicas))
    clusters.seoul.create(HORIZONTAL_POD_AUTOSCALER, autoscaler("web", **bounds))
    clusters.pass_time(20)
    return clusters.the(HORIZONTAL_POD_AUTOSCALER, "web")


def wanted(clusters: Clusters) -> int:
    """The Deployment's replicas."""
    return int(clusters.the(DEPLOYMENT, "web")["spec"]["replicas"])


def test_without_metrics_it_says_so_and_scales_nothing(clusters: Clusters) -> None:
    """As without a metrics server; Argo CD calls that Degraded."""
    found = scaled(clusters, 3)
    assert conditions(found) == {
        "AbleToScale": ("True", "SucceededGetScale"),
        "ScalingActive": ("False", "FailedGetResourceMetric"),
    }
    assert found["status"]["conditions"][1]["message"] == (
        "the HPA was unable to compute the replica count: failed to get cpu utilization: unable to "
        "get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server "
        "could not find the requested resource (get pods.metrics.k8s.io)"
    )
    assert found["status"]["currentReplicas"] == 3
    assert wanted(clusters) == 3
    assert of_resource(found).status == "Degraded"


@pytest.mark.parametrize(("replicas", "bounds", "then"), [(1, (2, 5), 2), (7, (2, 5), 5)])
def test_the_bounds_hold_without_metrics(
    clusters: Clusters, replicas: int, bounds: tuple[int, int], then: int
) -> None:
    """A real one keeps them, too."""
    found = scaled(clusters, replicas, minReplicas=bounds[0], maxReplicas=bounds[1])
    assert wanted(clusters) == found["status"]["desiredReplicas"] == then


def test_what_was_scaled_to_zero_is_left_alone(clusters: Clusters) -> None:
    """As on a standby."""
    found = scaled(clusters, 0, minReplicas=2)
    assert conditions(found)["ScalingActive"] == ("False", "ScalingDisabled")
    assert wanted(clusters) == 0


def test_a_target_that_is_not_there_is_named(clusters: Clusters) -> None:
    """By its resource."""
    clusters.seoul.create(HORIZONTAL_POD_AUTOSCALER, autoscaler("other"))
    clusters.settle()
    [told] = clusters.the(HORIZONTAL_POD_AUTOSCALER, "web")["status"]["conditions"]
    assert (told["type"], told["status"], told["reason"]) == (
        *("AbleToScale", "False"),
        "FailedGetScale",
    )
    assert told["message"].endswith('deployments.apps "other" not found')
