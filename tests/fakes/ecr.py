# ruff: noqa: N803  # arguments are AWS's, and so are their names
"""An ECR that behaves: repositories of two Regions, tags, indexes with children, copies."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from platform_pipelines.aws.ecr import INDEXES
from tests.fakes.calls import Paginator, Wire, client_error

IMAGE = "application/vnd.oci.image.manifest.v1+json"
INDEX = INDEXES[0]
MANIFESTS_A_BATCH = 100


class RepositoryNotFoundException(Exception):
    """There is no such repository."""


class ImageNotFoundException(Exception):
    """There is no such image."""


class _Exceptions:
    RepositoryNotFoundException = RepositoryNotFoundException
    ImageNotFoundException = ImageNotFoundException


@dataclass
class Image:
    """One manifest."""

    digest: str
    manifest: str
    media_type: str
    pushed: datetime
    tags: set[str] = field(default_factory=set)


def digest_of(manifest: str) -> str:
    """The digest by which a registry knows a manifest."""
    return "sha256:" + hashlib.sha256(manifest.encode()).hexdigest()


class FakeEcr:
    """The registry of one Region."""

    exceptions = _Exceptions
    meta: Any

    def __init__(self, wire: Wire, page: int = 1000) -> None:
        self.wire = wire
        self.page = page
        self.repositories: dict[str, dict[str, Image]] = {}
        self.copies: dict[str, list[dict[str, str]]] = {}  # by digest

    def push(self, repository: str, content: str, pushed: datetime, *tags: str) -> str:
        """Push a plain image; its digest."""
        return self._put(repository, json.dumps({"layer": content}), IMAGE, pushed, tags)

    def push_index(self, repository: str, children: list[str], pushed: datetime, *tags: str) -> str:
        """Push the index of images; its digest."""
        manifest = json.dumps({"manifests": [{"digest": child} for child in children]})
        return self._put(repository, manifest, INDEX, pushed, tags)

    def get_paginator(self, operation: str) -> Paginator:
        assert operation == "describe_images"
        return Paginator(self._describe_images)

    def batch_get_image(
        self, repositoryName: str, imageIds: list[dict[str, str]], acceptedMediaTypes: list[str]
    ) -> dict[str, Any]:
        self.wire.call("BatchGetImage")
        if len(imageIds) > MANIFESTS_A_BATCH:
            raise client_error("InvalidParameterException", "at most 100", "BatchGetImage")
        images = self._repository(repositoryName)
        asked = [one["imageDigest"] for one in imageIds]
        return {
            "images": [
                {"imageId": {"imageDigest": digest}, "imageManifest": images[digest].manifest}
                for digest in asked
                if digest in images and images[digest].media_type in acceptedMediaTypes
            ],
            "failures": [{"failureCode": "ImageNotFound"} for one in asked if one not in images],
        }

    def describe_image_replication_status(
        self, repositoryName: str, imageId: dict[str, str]
    ) -> dict[str, Any]:
        self.wire.call("DescribeImageReplicationStatus")
        digest = imageId["imageDigest"]
        if digest not in self._repository(repositoryName):
            raise ImageNotFoundException(digest)
        return {"replicationStatuses": self.copies.get(digest, [])}

    def _describe_images(
        self, repositoryName: str, PaginationConfig: dict[str, int]
    ) -> list[dict[str, Any]]:
        images = list(self._repository(repositoryName).values())
        size = min(self.page, PaginationConfig["PageSize"])
        pages = []
        for start in range(0, max(len(images), 1), size):
            self.wire.call("DescribeImages")
            shown = [self._detail(image) for image in images[start : start + size]]
            pages.append({"imageDetails": shown})
        return pages

    def _detail(self, image: Image) -> dict[str, Any]:
        tags = {"imageTags": sorted(image.tags)} if image.tags else {}
        return {
            "imageDigest": image.digest,
            "imageManifestMediaType": image.media_type,
            "imagePushedAt": image.pushed,
            **tags,
        }

    def _repository(self, name: str) -> dict[str, Image]:
        if name not in self.repositories:
            self.wire.call("DescribeImages")
            raise RepositoryNotFoundException(name)
        return self.repositories[name]

    def _put(
        self, repository: str, manifest: str, media_type: str, at: datetime, tags: tuple[str, ...]
    ) -> str:
        images = self.repositories.setdefault(repository, {})
        digest = digest_of(manifest)
        for image in images.values():
            image.tags -= set(tags)
        image = images.setdefault(digest, Image(digest, manifest, media_type, at))
        image.tags |= set(tags)
        return digest
