import json
from typing import Any

import pytest

from platform_pipelines.local.aws.service import Fault
from platform_pipelines.local.images import INDEX, MANIFEST, build
from platform_pipelines.local.world import World
from tests.local.aws.regions import Regions
from tests.local.aws.registries import TO_TOKYO, WHERE, digests, push, put, replicate, upload


@pytest.fixture
def seoul(regions: Regions) -> Regions:
    """Both Regions, with an empty repository in Seoul."""
    regions("seoul", "ecr", "CreateRepository", **WHERE)
    return regions


def copies(regions: Regions, digest: str) -> list[dict[str, Any]]:
    """How far the copies of an image of Seoul are."""
    wanted = {**WHERE, "imageId": {"imageDigest": digest}}
    answer = regions("seoul", "ecr", "DescribeImageReplicationStatus", **wanted)
    return list(answer["replicationStatuses"])


def archive(regions: Regions, digest: str, to: str = "ARCHIVE") -> str:
    """Move an image of Seoul between storage classes; its status."""
    wanted = {"imageId": {"imageDigest": digest}, "targetStorageClass": to}
    return str(regions("seoul", "ecr", "UpdateImageStorageClass", **WHERE, **wanted)["imageStatus"])


def test_a_manifest_needs_what_it_names(seoul: Regions) -> None:
    """Its layers, or the images of an index, are pushed before it."""
    image = build("peccy-web")
    with pytest.raises(Fault, match="LayersNotFoundException"):
        put(seoul, image.manifests[0].content.decode(), kind=MANIFEST)
    with pytest.raises(Fault, match="ReferencedImagesNotFoundException"):
        put(seoul, image.index.content.decode())
    with pytest.raises(Fault, match="InvalidParameterException"):
        seoul("seoul", "ecr", "PutImage", **WHERE, imageManifest='{"schemaVersion": 2}')


def test_an_immutable_tag_stays_with_its_image(seoul: Regions) -> None:
    """Unless a filter excludes it."""
    kind = {"imageTagMutability": "IMMUTABLE_WITH_EXCLUSION"}
    filters = [{"filterType": "WILDCARD", "filter": "latest*"}]
    excluded = {"imageTagMutabilityExclusionFilters": filters}
    seoul("seoul", "ecr", "PutImageTagMutability", **WHERE, **kind, **excluded)
    one, two = '{"schemaVersion": 2, "n": 1}', '{"schemaVersion": 2, "n": 2}'
    first = put(seoul, one, "1.0.0")
    put(seoul, one, "latest")
    with pytest.raises(Fault, match="ImageTagAlreadyExistsException"):
        put(seoul, two, "1.0.0")
    second = put(seoul, two, "latest")
    assert digests(seoul, "seoul") == {first: ["1.0.0"], second: ["latest"]}


def test_layers_are_checked_and_uploaded_once(seoul: Regions) -> None:
    """In order, with the digest of what arrived."""
    blob = build("peccy-web").blobs[0]
    check = {"layerDigests": [blob.digest, "nonsense"]}
    found = seoul("seoul", "ecr", "BatchCheckLayerAvailability", **WHERE, **check)
    assert [one["layerAvailability"] for one in found["layers"]] == ["UNAVAILABLE"]
    assert [one["failureCode"] for one in found["failures"]] == ["InvalidLayerDigest"]
    with pytest.raises(Fault, match="InvalidLayerException"):
        upload(seoul, b"something else", blob.digest)
    empty = {"uploadId": seoul("seoul", "ecr", "InitiateLayerUpload", **WHERE)["uploadId"]}
    with pytest.raises(Fault, match="EmptyUploadException"):
        seoul("seoul", "ecr", "CompleteLayerUpload", **WHERE, **empty, layerDigests=[blob.digest])
    upload(seoul, blob.content, blob.digest)
    found = seoul("seoul", "ecr", "BatchCheckLayerAvailability", **WHERE, **check)
    assert found["layers"][0]["layerSize"] == len(blob.content)
    with pytest.raises(Fault, match="LayerAlreadyExistsException"):
        upload(seoul, blob.content, blob.digest)


def test_an_image_of_an_index_cannot_be_deleted_before_it(seoul: Regions) -> None:
    """It is a failure of that id alone."""
    image = push(seoul)
    child = {"imageDigest": image.manifests[0].digest}
    put(seoul, '{"schemaVersion": 2}', "other")
    ids = [child, {"imageTag": "other"}]
    answer = seoul("seoul", "ecr", "BatchDeleteImage", **WHERE, imageIds=ids)
    assert len(answer["imageIds"]) == 1
    assert [one["failureCode"] for one in answer["failures"]] == ["ImageReferencedByManifestList"]
    both = [{"imageDigest": image.digest}, child]
    answer = seoul("seoul", "ecr", "BatchDeleteImage", **WHERE, imageIds=both)
    assert (len(answer["imageIds"]), answer["failures"]) == (2, [])


def test_a_batch_tells_each_failure_apart(seoul: Regions) -> None:
    """Malformed, mismatched, absent."""
    digest = put(seoul, '{"schemaVersion": 2}', "one")
    other = "sha256:" + "0" * 64
    ids = [
        {"imageDigest": "short"},
        {"imageTag": "-"},
        {"imageDigest": other, "imageTag": "one"},
        {"imageDigest": other},
        {"imageDigest": digest, "imageTag": "one"},
    ]
    answer = seoul("seoul", "ecr", "BatchGetImage", **WHERE, imageIds=ids)
    assert [one["failureCode"] for one in answer["failures"]] == [
        "InvalidImageDigest",
        "InvalidImageTag",
        "ImageTagDoesNotMatchDigest",
        "ImageNotFound",
    ]
    assert len(answer["images"]) == 1
    with pytest.raises(Fault, match="InvalidParameterException"):
        seoul("seoul", "ecr", "BatchGetImage", **WHERE, imageIds=[{"imageTag": "one"}] * 101)


@pytest.mark.parametrize("wrong", [{"maxResults": 0}, {"maxResults": 1001}, {"nextToken": "x"}])
def test_a_page_has_between_one_and_a_thousand_images(
    seoul: Regions, wrong: dict[str, Any]
) -> None:
    """And a token is one that ECR gave."""
    with pytest.raises(Fault, match="InvalidParameterException"):
        seoul("seoul", "ecr", "DescribeImages", **WHERE, **wrong)


def test_an_archived_image_cannot_be_pulled(seoul: Regions) -> None:
    """It is only listed on request, and comes back after twenty minutes."""
    digest = put(seoul, '{"schemaVersion": 2}', "one")
    assert archive(seoul, digest) == "ARCHIVED"
    assert digests(seoul, "seoul") == {}
    wanted = {"filter": {"imageStatus": "ARCHIVED"}}
    found = seoul("seoul", "ecr", "DescribeImages", **WHERE, **wanted)["imageDetails"]
    assert found[0]["lastArchivedAt"] == seoul.world.datetime()
    answer = seoul("seoul", "ecr", "BatchGetImage", **WHERE, imageIds=[{"imageTag": "one"}])
    assert [one["failureCode"] for one in answer["failures"]] == ["ImageNotFound"]
    with pytest.raises(Fault, match="ImageStorageClassUpdateNotSupportedException"):
        archive(seoul, digest)
    assert archive(seoul, digest, "STANDARD") == "ACTIVATING"
    seoul.advance(1199)
    assert digests(seoul, "seoul") == {}
    seoul.advance(1)
    assert digests(seoul, "seoul") == {digest: ["one"]}


def test_pushing_an_archived_image_again_activates_it(seoul: Regions) -> None:
    """At once."""
    digest = put(seoul, '{"schemaVersion": 2}', "one")
    archive(seoul, digest)
    put(seoul, '{"schemaVersion": 2}', "one")
    assert digests(seoul, "seoul") == {digest: ["one"]}


def test_a_copy_can_fail(seoul: Regions) -> None:
    """The status says so, and nothing arrives."""
    replicate(seoul)
    fault = {"kind": "transition", "transition": "ecr_copy", "ending": "failed"}
    seoul.world.faults.add(fault)
    digest = put(seoul, '{"schemaVersion": 2}', "one")
    seoul.advance(30)
    assert copies(seoul, digest)[0]["status"] == "FAILED"
    assert copies(seoul, digest)[0]["failureCode"]
    assert seoul("tokyo", "ecr", "DescribeRepositories")["repositories"] == []


def test_another_account_refuses_copies(seoul: Regions) -> None:
    """Its registry has no policy that allows them."""
    rules = [{"destinations": [TO_TOKYO, TO_TOKYO | {"registryId": "999999999999"}]}]
    configuration = {"replicationConfiguration": {"rules": rules}}
    seoul("seoul", "ecr", "PutReplicationConfiguration", **configuration)
    digest = put(seoul, '{"schemaVersion": 2}', "one")
    seoul.advance(30)
    found = {one["registryId"]: one["status"] for one in copies(seoul, digest)}
    assert found == {"999999999999": "FAILED", "111122223333": "COMPLETE"}


def test_a_repository_is_made_once_and_emptied_by_force(seoul: Regions) -> None:
    """Its name, its tags and its policy have their rules."""
    with pytest.raises(Fault, match="RepositoryAlreadyExistsException"):
        seoul("seoul", "ecr", "CreateRepository", **WHERE)
    with pytest.raises(Fault, match="InvalidParameterException"):
        seoul("seoul", "ecr", "CreateRepository", repositoryName="Capital")
    put(seoul, '{"schemaVersion": 2}', "one")
    with pytest.raises(Fault, match="RepositoryNotEmptyException"):
        seoul("seoul", "ecr", "DeleteRepository", **WHERE)
    seoul("seoul", "ecr", "DeleteRepository", **WHERE, force=True)
    with pytest.raises(Fault, match="RepositoryNotFoundException"):
        seoul("seoul", "ecr", "DescribeImages", **WHERE)


def test_a_repository_has_tags_and_a_policy(seoul: Regions) -> None:
    """Without a policy there is RepositoryPolicyNotFoundException."""
    found = seoul("seoul", "ecr", "DescribeRepositories")["repositories"][0]
    arn = {"resourceArn": found["repositoryArn"]}
    seoul("seoul", "ecr", "TagResource", **arn, tags=[{"Key": "team", "Value": "web"}])
    tags = seoul("seoul", "ecr", "ListTagsForResource", **arn)["tags"]
    assert tags == [{"Key": "team", "Value": "web"}]
    seoul("seoul", "ecr", "UntagResource", **arn, tagKeys=["team"])
    assert seoul("seoul", "ecr", "ListTagsForResource", **arn)["tags"] == []
    with pytest.raises(Fault, match="RepositoryPolicyNotFoundException"):
        seoul("seoul", "ecr", "GetRepositoryPolicy", **WHERE)
    text = json.dumps({"Statement": [{"Effect": "Allow", "Action": "ecr:*", "Principal": "*"}]})
    seoul("seoul", "ecr", "SetRepositoryPolicy", **WHERE, policyText=text)
    assert seoul("seoul", "ecr", "GetRepositoryPolicy", **WHERE)["policyText"] == text


def test_a_registry_survives_a_kill(world: World) -> None:
    """Repositories, images and copies under way are on disk; uploads too."""
    world.vault.open()
    before = Regions(world)
    before("seoul", "ecr", "CreateRepository", **WHERE)
    replicate(before)
    image = push(before)
    unfinished = before("seoul", "ecr", "InitiateLayerUpload", **WHERE)["uploadId"]
    world.vault.commit()
    again = World(platform=world.platform, state=world.state, ports=world.ports, clock=world.clock)
    after = Regions(again)
    assert again.vault.open()
    again.vault.close()  # there is no event loop in which it could write
    after.services["ecr"].load(before.services["ecr"].dump())
    assert digests(after, "seoul")[image.digest] == ["1.0.0"]
    assert before("seoul", "ecr", "DescribeImages", **WHERE) == after(
        "seoul", "ecr", "DescribeImages", **WHERE
    )
    after.advance(30)
    assert digests(after, "tokyo")[image.digest] == ["1.0.0"]
    part = {"partFirstByte": 0, "partLastByte": 0, "layerPartBlob": b"x"}
    after("seoul", "ecr", "UploadLayerPart", **WHERE, uploadId=unfinished, **part)


def test_an_authorization_token_is_for_twelve_hours(seoul: Regions) -> None:
    """And for the caller's registry."""
    (data,) = seoul("seoul", "ecr", "GetAuthorizationToken")["authorizationData"]
    assert (data["expiresAt"] - seoul.world.datetime()).total_seconds() == 12 * 3600
    assert data["proxyEndpoint"] == "https://111122223333.dkr.ecr.ap-northeast-2.amazonaws.com"


def test_an_index_is_as_large_as_its_largest_image(seoul: Regions) -> None:
    """As ECR describes it."""
    image = push(seoul)
    found = seoul("seoul", "ecr", "DescribeImages", **WHERE)["imageDetails"]
    sizes = {one["imageDigest"]: one["imageSizeInBytes"] for one in found}
    assert sizes[image.digest] == max(sizes[one.digest] for one in image.manifests)
    kinds = {one["imageManifestMediaType"] for one in found}
    assert kinds == {INDEX, MANIFEST}
