"""ECR: the images of a Region's registry by digest, the children of indexes, and replication.

A tag is a name that can move; only digests say that two Regions hold the same image. Reads are
paged at the service's limits: 1000 images a page, 100 manifests a batch.
https://docs.aws.amazon.com/AmazonECR/latest/userguide/replication.html
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from platform_pipelines.aws.region import AwsRegion

if TYPE_CHECKING:
    from mypy_boto3_ecr.type_defs import ImageDetailTypeDef

PAGE = 1000
BATCH = 100
INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageState:
    """One manifest of a repository: an image, or the index of several."""

    digest: str
    tags: tuple[str, ...]
    media_type: str
    pushed: datetime | None

    @property
    def is_index(self) -> bool:
        """Whether it only lists the images of several architectures."""
        return self.media_type in INDEXES


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryState:
    """A repository of one Region and everything that can be pulled from it."""

    name: str
    images: Mapping[str, ImageState]  # by digest

    def tagged(self, tag: str) -> ImageState | None:
        """The image that a tag names here."""
        return next((image for image in self.images.values() if tag in image.tags), None)

    def find(self, tag: str, digest: str) -> ImageState | None:
        """What a node would pull: a digest wins over a tag, as container runtimes read it."""
        return self.images.get(digest) if digest else self.tagged(tag)


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyState:
    """How far ECR is with copying an image to the other Region."""

    status: str  # IN_PROGRESS, COMPLETE, FAILED
    failure: str | None


def repository(region: AwsRegion, name: str) -> RepositoryState | None:
    """Every image that can be pulled (archived ones cannot); None if there is no repository."""
    paginator = region.ecr.get_paginator("describe_images")
    try:
        pages = paginator.paginate(repositoryName=name, PaginationConfig={"PageSize": PAGE})
        details = [detail for page in pages for detail in page["imageDetails"]]
    except region.ecr.exceptions.RepositoryNotFoundException:
        return None
    images = [_image(detail) for detail in details]
    return RepositoryState(name=name, images={image.digest: image for image in images})


def children(region: AwsRegion, name: str, digests: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The digests that each index lists; an index that is not there is left out."""
    return {
        digest: listed
        for start in range(0, len(digests), BATCH)
        for digest, listed in _children(region, name, digests[start : start + BATCH])
    }


def copy_state(
    source: AwsRegion, name: str, digest: str, destination_region: str
) -> CopyState | None:
    """How far the copy of an image to `destination_region` (AWS name) is, as the Region that it
    was pushed to says; None when ECR does not copy it there at all."""
    try:
        answer = source.ecr.describe_image_replication_status(
            repositoryName=name, imageId={"imageDigest": digest}
        )
    except (
        source.ecr.exceptions.ImageNotFoundException,
        source.ecr.exceptions.RepositoryNotFoundException,
    ):
        return None
    for one in answer.get("replicationStatuses", []):
        if one.get("region") == destination_region:
            return CopyState(status=one.get("status", ""), failure=one.get("failureCode"))
    return None


def _image(detail: "ImageDetailTypeDef") -> ImageState:
    return ImageState(
        digest=detail.get("imageDigest", ""),
        tags=tuple(sorted(detail.get("imageTags", []))),
        media_type=detail.get("imageManifestMediaType", ""),
        pushed=detail.get("imagePushedAt"),
    )


def _children(
    region: AwsRegion, name: str, digests: Sequence[str]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    answer = region.ecr.batch_get_image(
        repositoryName=name,
        imageIds=[{"imageDigest": digest} for digest in digests],
        acceptedMediaTypes=list(INDEXES),
    )
    for image in answer.get("images", []):
        manifest = json.loads(image.get("imageManifest", "{}"))
        listed = tuple(child["digest"] for child in manifest.get("manifests", []))
        yield image.get("imageId", {}).get("imageDigest", ""), listed
