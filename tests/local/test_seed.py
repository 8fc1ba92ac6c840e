"""Bulk loads: much of everything at once, the same in each Region."""

import time

import pytest
from pydantic import ValidationError

from platform_pipelines.errors import UnknownRegion
from platform_pipelines.local import images
from platform_pipelines.local.aws.ecr import Ecr
from platform_pipelines.local.aws.service import Call, Result
from platform_pipelines.local.kube.kinds import APPLICATION, CRON_JOB, NODE, POD
from platform_pipelines.local.kube.store import Store
from platform_pipelines.local.seed import seed
from platform_pipelines.local.world import World


@pytest.fixture
def ecr(still_world: World) -> Ecr:
    """ECR of a world with two empty clusters."""
    for region in still_world.platform.regions:
        still_world.stores[region.alias] = Store(still_world.datetime)
    return Ecr(still_world)


def ask(ecr: Ecr, operation: str, alias: str = "tokyo", **params: object) -> Result:
    """What ECR answers in a Region."""
    platform = ecr.world.platform
    region = platform.region(alias).name
    return ecr.answer(
        Call(
            service="ecr",
            operation=operation,
            params=params,
            region=region,
            account=platform.account,
            request_id="test",
        )
    )


def test_ten_thousand_repositories_take_a_moment(ecr: Ecr) -> None:
    """And so does writing them to disk."""
    ecr.world.vault.open()
    began = time.monotonic()
    counts = seed(ecr.world, {"repositories": 10_000, "images": 20})
    ecr.world.vault.commit()
    assert time.monotonic() - began < 10
    assert (counts["repositories"], counts["images"]) == (20_000, 400_000)
    page = ask(ecr, "DescribeRepositories", maxResults=1000)
    assert (len(page["repositories"]), "nextToken" in page) == (1000, True)


def test_seeded_images_are_as_good_as_pushed_ones(ecr: Ecr) -> None:
    """The same digests in both Regions, of manifests that can be read; they can be changed."""
    seed(ecr.world, {"repositories": 2, "images": 3})
    where = {"repositoryName": "bulk/2"}
    here, there = (ask(ecr, "ListImages", alias, **where) for alias in ("seoul", "tokyo"))
    assert here == there
    assert [one["imageTag"] for one in here["imageIds"]] == ["v1", "v2", "v3"]
    found = ask(ecr, "BatchGetImage", **where, imageIds=[{"imageTag": "v3"}])["images"][0]
    assert found["imageManifest"].encode() == images.stamp("bulk/2", "v3").content
    ask(ecr, "BatchDeleteImage", **where, imageIds=[{"imageTag": "v1"}])
    assert len(ask(ecr, "ListImages", **where)["imageIds"]) == 2
    assert len(ask(ecr, "ListImages", "seoul", **where)["imageIds"]) == 3


def test_the_same_load_twice_changes_nothing(ecr: Ecr) -> None:
    """What is there stays as it is."""
    spec = {"repositories": 2, "cron_jobs": 2, "pods": 2, "applications": 2}
    first, second = seed(ecr.world, spec), seed(ecr.world, spec)
    assert first["cron_jobs"] == first["pods"] == first["applications"] == 4
    assert set(second.values()) == {0}


def test_workloads_name_the_newest_seeded_images_of_their_own_registry(ecr: Ecr) -> None:
    """By digest; without nodes the pods wait."""
    seed(ecr.world, {"repositories": 1, "images": 2, "cron_jobs": 1, "pods": 1})
    store = ecr.world.stores["tokyo"]
    digest = images.stamp("bulk/1", "v2").digest
    wanted = f"111122223333.dkr.ecr.ap-northeast-1.amazonaws.com/bulk/1@{digest}"
    (cron_job,) = store.peek_all(CRON_JOB)
    template = cron_job["spec"]["jobTemplate"]["spec"]["template"]
    (pod,) = store.peek_all(POD)
    assert template["spec"]["containers"][0]["image"] == wanted
    assert pod["spec"]["containers"][0]["image"] == wanted
    assert pod["status"]["phase"] == "Pending"


def test_pods_run_on_the_nodes_that_are_there(ecr: Ecr) -> None:
    """In turn."""
    store = ecr.world.stores["seoul"]
    for name in ("one", "two"):
        store.create(NODE, {"metadata": {"name": name}})
    seed(ecr.world, {"pods": 4, "regions": ["seoul"]})
    pods = store.peek_all(POD)
    assert sorted(pod["spec"]["nodeName"] for pod in pods) == ["one", "one", "two", "two"]
    assert {pod["status"]["phase"] for pod in pods} == {"Running"}
    assert ecr.world.stores["tokyo"].peek_all(POD) == []


def test_applications_are_synced_and_left_alone(ecr: Ecr) -> None:
    """Their git folders do not exist."""
    seed(ecr.world, {"applications": 1})
    (application,) = ecr.world.stores["tokyo"].peek_all(APPLICATION)
    assert application["status"]["sync"]["status"] == "Synced"
    assert application["metadata"]["annotations"] == {"argocd.argoproj.io/skip-reconcile": "true"}


def test_a_load_that_makes_no_sense_is_refused(ecr: Ecr) -> None:
    """An unknown field, a negative number, an unknown Region."""
    for wrong in ({"repos": 1}, {"pods": -1}, {"prefix": "Capital"}):
        with pytest.raises(ValidationError):
            seed(ecr.world, wrong)
    with pytest.raises(UnknownRegion):
        seed(ecr.world, {"regions": ["osaka"]})
