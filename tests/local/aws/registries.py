"""Registries of ECR, pushed to and looked at as a build does."""

from typing import Any

from platform_pipelines.local.images import INDEX, Image, build
from tests.local.aws.regions import Regions

REPOSITORY = "peccy-web"
WHERE = {"repositoryName": REPOSITORY}
TO_TOKYO = {"region": "ap-northeast-1", "registryId": "111122223333"}


def put(regions: Regions, manifest: str, tag: str | None = None, kind: str = INDEX) -> str:
    """Push one manifest to Seoul; its digest."""
    tagged = {"imageTag": tag} if tag else {}
    answer = regions(
        "seoul",
        "ecr",
        "PutImage",
        **WHERE,
        imageManifest=manifest,
        imageManifestMediaType=kind,
        **tagged,
    )
    return str(answer["image"]["imageId"]["imageDigest"])


def push(regions: Regions, version: str = "1.0.0") -> Image:
    """Push the image of a service to Seoul as a build does: layers, manifests, then the index."""
    image = build(REPOSITORY, version)
    for blob in image.blobs:
        upload(regions, blob.content, blob.digest)
    for manifest in image.manifests:
        put(regions, manifest.content.decode(), kind=manifest.media_type)
    put(regions, image.index.content.decode(), version)
    return image


def upload(regions: Regions, content: bytes, digest: str) -> None:
    """Upload one layer to Seoul."""
    identifier = regions("seoul", "ecr", "InitiateLayerUpload", **WHERE)["uploadId"]
    last = len(content) - 1
    part = {"partFirstByte": 0, "partLastByte": last, "layerPartBlob": content}
    regions("seoul", "ecr", "UploadLayerPart", **WHERE, uploadId=identifier, **part)
    done = {"uploadId": identifier, "layerDigests": [digest]}
    regions("seoul", "ecr", "CompleteLayerUpload", **WHERE, **done)


def replicate(regions: Regions, *prefixes: str) -> None:
    """Replicate Seoul's registry to Tokyo."""
    rule: dict[str, Any] = {"destinations": [TO_TOKYO]}
    if prefixes:
        filters = [{"filter": prefix, "filterType": "PREFIX_MATCH"} for prefix in prefixes]
        rule["repositoryFilters"] = filters
    configuration = {"rules": [rule]}
    operation = "PutReplicationConfiguration"
    regions("seoul", "ecr", operation, replicationConfiguration=configuration)


def digests(regions: Regions, alias: str) -> dict[str, list[str]]:
    """The images of a Region's repository: digest to tags."""
    found = regions(alias, "ecr", "DescribeImages", **WHERE)["imageDetails"]
    return {image["imageDigest"]: image.get("imageTags", []) for image in found}
