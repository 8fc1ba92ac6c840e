"""The deterministic images of the local Regions, and how they are pushed."""

import json
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws
from mypy_boto3_ecr.client import ECRClient

from platform_pipelines.local import images


@pytest.fixture
def ecr() -> Iterator[ECRClient]:
    """An ECR with the repository `peccy-web`, whose tags are immutable."""
    with mock_aws():
        client = boto3.client(
            "ecr", "ap-northeast-2", aws_access_key_id="x", aws_secret_access_key="x"
        )
        client.create_repository(repositoryName="peccy-web", imageTagMutability="IMMUTABLE")
        yield client


def test_an_image_is_the_same_wherever_it_is_built() -> None:
    """The digest that git pins: a change of it needs a change of the manifests."""
    image = images.build("peccy-web")
    assert image == images.build("peccy-web")
    assert image.digest == "sha256:e2dc07aba4fc3ac2b8f3a32e9541cb18354450ffdaa35990530add2c4f2b7013"
    assert image.digest != images.build("peccy-app").digest
    assert image.digest != images.build("peccy-web", "1.0.1").digest


def test_an_index_names_its_children_and_they_name_their_blobs() -> None:
    """Every digest and size that a document states is that of the bytes."""
    image = images.build("peccy-web")
    parts = {blob.digest: blob for blob in (*image.manifests, *image.blobs)}
    index = json.loads(image.index.content)
    assert [one["platform"]["architecture"] for one in index["manifests"]] == ["amd64", "arm64"]
    for manifest in index["manifests"]:
        child = parts[manifest["digest"]]
        assert (manifest["mediaType"], manifest["size"]) == (child.media_type, len(child.content))
        document = json.loads(child.content)
        for part in (document["config"], *document["layers"]):
            assert parts[part["digest"]].descriptor() == part
        config = json.loads(parts[document["config"]["digest"]].content)
        assert config["rootfs"]["diff_ids"] == [part["digest"] for part in document["layers"]]


def test_pushing_again_pushes_nothing(ecr: ECRClient) -> None:
    """The tag is immutable, and still the second push is fine: the registry has the digest."""
    image = images.build("peccy-web")
    images.push(ecr, image)
    assert images.push(ecr, image) == image.digest
    found = ecr.describe_images(repositoryName="peccy-web")["imageDetails"]
    assert {one["imageDigest"] for one in found} >= {image.digest}


def test_pushing_stores_index_and_children_by_their_digests(ecr: ECRClient) -> None:
    """What the registry then has are exactly our bytes, and the index has the tag."""
    image = images.build("peccy-web")
    assert images.push(ecr, image) == image.digest
    answer = ecr.batch_get_image(
        repositoryName="peccy-web", imageIds=[{"imageTag": images.VERSION}]
    )
    assert answer["images"][0]["imageManifest"].encode() == image.index.content
    for child in image.manifests:
        answer = ecr.batch_get_image(
            repositoryName="peccy-web", imageIds=[{"imageDigest": child.digest}]
        )
        assert answer["images"][0]["imageManifest"].encode() == child.content
