import json
from typing import Any

import pytest

from platform_pipelines.local.aws.service import Fault
from platform_pipelines.local.images import INDEX
from tests.local.aws.regions import Regions
from tests.local.aws.registries import TO_TOKYO, WHERE, digests, push, put, replicate


@pytest.fixture
def seoul(regions: Regions) -> Regions:
    """Both Regions, with an empty repository in Seoul."""
    regions("seoul", "ecr", "CreateRepository", **WHERE)
    return regions


def test_a_push_arrives_in_the_other_region_after_a_while(seoul: Regions) -> None:
    """The index, its children and the tag, in a repository that replication makes."""
    replicate(seoul)
    image = push(seoul)
    seoul.advance(29)
    assert seoul("tokyo", "ecr", "DescribeRepositories")["repositories"] == []
    seoul.advance(1)
    assert digests(seoul, "tokyo") == digests(seoul, "seoul")
    assert digests(seoul, "tokyo")[image.digest] == ["1.0.0"]
    assert set(digests(seoul, "tokyo")) == {image.digest, *(one.digest for one in image.manifests)}


def test_the_status_of_a_copy_is_asked_in_the_source(seoul: Regions) -> None:
    """IN_PROGRESS, then COMPLETE; the copy itself is copied nowhere."""
    replicate(seoul)
    wanted = {**WHERE, "imageId": {"imageDigest": push(seoul).digest}}

    def statuses(alias: str) -> list[str]:
        found = seoul(alias, "ecr", "DescribeImageReplicationStatus", **wanted)
        return [one["status"] for one in found["replicationStatuses"]]

    assert statuses("seoul") == ["IN_PROGRESS"]
    seoul.advance(30)
    assert statuses("seoul") == ["COMPLETE"]
    assert statuses("tokyo") == []


def test_replication_is_not_retroactive(seoul: Regions) -> None:
    """What was pushed before the configuration stays where it is."""
    push(seoul)
    replicate(seoul)
    seoul.advance(3600)
    assert seoul("tokyo", "ecr", "DescribeRepositories")["repositories"] == []


def test_an_index_brings_children_that_were_there_before(seoul: Regions) -> None:
    """A copied index can be pulled, though its images were pushed before the configuration."""
    image = push(seoul)
    replicate(seoul)
    again = {"imageManifest": image.index.content.decode(), "imageManifestMediaType": INDEX}
    seoul("seoul", "ecr", "PutImage", **WHERE, **again, imageTag="again")
    seoul.advance(30)
    assert len(digests(seoul, "tokyo")) == 3


def test_a_filter_leaves_other_repositories_alone(seoul: Regions) -> None:
    """Repositories are chosen by prefix."""
    replicate(seoul, "other-")
    push(seoul)
    seoul.advance(60)
    assert seoul("tokyo", "ecr", "DescribeRepositories")["repositories"] == []


@pytest.mark.parametrize("alias", ["seoul", "tokyo"])
def test_copies_wait_while_a_region_is_dark(seoul: Regions, alias: str) -> None:
    """They come after the outage."""
    replicate(seoul)
    push(seoul)
    seoul.black_out(alias)
    seoul.advance(600)
    assert seoul("tokyo", "ecr", "DescribeRepositories")["repositories"] == []
    seoul.restore(alias)
    seoul.advance(60)
    assert len(digests(seoul, "tokyo")) == 3


def test_an_immutable_tag_that_is_taken_arrives_untagged(seoul: Regions) -> None:
    """The other Region keeps its own image under the tag."""
    seoul("tokyo", "ecr", "CreateRepository", **WHERE, imageTagMutability="IMMUTABLE")
    own = json.dumps({"schemaVersion": 2})
    kind = {"imageManifestMediaType": INDEX}
    seoul("tokyo", "ecr", "PutImage", **WHERE, imageManifest=own, imageTag="1.0.0", **kind)
    replicate(seoul)
    image = push(seoul)
    seoul.advance(30)
    assert digests(seoul, "tokyo")[image.digest] == []


def test_a_configuration_replaces_the_one_before(seoul: Regions) -> None:
    """It is the whole registry's, and of one Region."""
    replicate(seoul)
    empty: dict[str, Any] = {"rules": []}
    assert seoul("tokyo", "ecr", "DescribeRegistry")["replicationConfiguration"] == empty
    seoul("seoul", "ecr", "PutReplicationConfiguration", replicationConfiguration=empty)
    push(seoul)
    seoul.advance(60)
    assert seoul("tokyo", "ecr", "DescribeRepositories")["repositories"] == []


def test_a_registry_does_not_replicate_to_itself(seoul: Regions) -> None:
    """Nor to another account here."""
    itself = {"rules": [{"destinations": [TO_TOKYO | {"region": "ap-northeast-2"}]}]}
    with pytest.raises(Fault, match="InvalidParameterException"):
        seoul("seoul", "ecr", "PutReplicationConfiguration", replicationConfiguration=itself)


def test_a_registry_replicates_to_regions_that_there_are(seoul: Regions) -> None:
    """A Region that AWS does not have is refused, and the rules stay as they are."""
    before = seoul("seoul", "ecr", "DescribeRegistry")
    nowhere = {"rules": [{"destinations": [TO_TOKYO | {"region": "mars-north-1"}]}]}
    with pytest.raises(Fault, match=r"InvalidParameterException.*mars-north-1"):
        seoul("seoul", "ecr", "PutReplicationConfiguration", replicationConfiguration=nowhere)
    assert seoul("seoul", "ecr", "DescribeRegistry") == before


def test_images_come_in_pages_and_by_tag_status(seoul: Regions) -> None:
    """Untagged children are left out on request."""
    push(seoul)
    first = seoul("seoul", "ecr", "DescribeImages", **WHERE, maxResults=2)
    rest = seoul("seoul", "ecr", "DescribeImages", **WHERE, nextToken=first["nextToken"])
    assert (len(first["imageDetails"]), len(rest["imageDetails"])) == (2, 1)
    tagged = {"filter": {"tagStatus": "TAGGED"}}
    assert len(seoul("seoul", "ecr", "DescribeImages", **WHERE, **tagged)["imageDetails"]) == 1
    assert len(seoul("seoul", "ecr", "ListImages", **WHERE, **tagged)["imageIds"]) == 1
    assert len(seoul("seoul", "ecr", "ListImages", **WHERE)["imageIds"]) == 3


def test_repositories_come_in_pages(seoul: Regions) -> None:
    """And by name."""
    seoul("seoul", "ecr", "CreateRepository", repositoryName="peccy-app")
    first = seoul("seoul", "ecr", "DescribeRepositories", maxResults=1)
    rest = seoul("seoul", "ecr", "DescribeRepositories", nextToken=first["nextToken"])
    names = [one["repositoryName"] for one in first["repositories"] + rest["repositories"]]
    assert sorted(names) == ["peccy-app", "peccy-web"]
    with pytest.raises(Fault, match="RepositoryNotFoundException"):
        seoul("seoul", "ecr", "DescribeRepositories", repositoryNames=["none"])


def test_an_image_is_read_by_digest_and_by_tag(seoul: Regions) -> None:
    """What is not there is a failure of that id alone."""
    image = push(seoul)
    answer = seoul(
        "seoul",
        "ecr",
        "BatchGetImage",
        **WHERE,
        imageIds=[
            {"imageTag": "1.0.0"},
            {"imageDigest": image.manifests[0].digest},
            {"imageTag": "none"},
        ],
    )
    found = [one["imageId"]["imageDigest"] for one in answer["images"]]
    assert found == [image.digest, image.manifests[0].digest]
    assert answer["images"][0]["imageManifest"] == image.index.content.decode()
    assert [one["failureCode"] for one in answer["failures"]] == ["ImageNotFound"]


def test_a_moved_tag_belongs_to_the_newer_image(seoul: Regions) -> None:
    """The older one is untagged."""
    old = put(seoul, '{"schemaVersion": 2, "n": 1}', "latest")
    new = put(seoul, '{"schemaVersion": 2, "n": 2}', "latest")
    assert digests(seoul, "seoul") == {old: [], new: ["latest"]}
    with pytest.raises(Fault, match="ImageAlreadyExistsException"):
        put(seoul, '{"schemaVersion": 2, "n": 2}', "latest")


def test_a_wrong_digest_is_refused(seoul: Regions) -> None:
    """The registry computes it itself."""
    wrong = "sha256:" + "0" * 64
    with pytest.raises(Fault, match="ImageDigestDoesNotMatchException"):
        seoul("seoul", "ecr", "PutImage", **WHERE, imageManifest="{}", imageDigest=wrong)


def test_an_image_goes_with_its_last_tag(seoul: Regions) -> None:
    """Or when its digest is named."""
    digest = put(seoul, '{"schemaVersion": 2}', "one")
    put(seoul, '{"schemaVersion": 2}', "two")
    seoul("seoul", "ecr", "BatchDeleteImage", **WHERE, imageIds=[{"imageTag": "one"}])
    assert digests(seoul, "seoul") == {digest: ["two"]}
    seoul("seoul", "ecr", "BatchDeleteImage", **WHERE, imageIds=[{"imageTag": "two"}])
    assert digests(seoul, "seoul") == {}
