"""Images of a repository as ECR describes them: chosen by digest or tag, filtered, sized.

The records are ministack's. One record is one manifest with any number of tags; our notes in it begin
with `_`.
"""

import json
from datetime import UTC, datetime
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws.service import Fault, Params, Result

Record = dict[str, Any]


def repository(name: str) -> Record:
    """A repository of the Region in scope. Raises: Fault."""
    record: Record | None = ministack.service("ecr")._repositories.get(name)
    if record is None:
        message = f"The repository with name '{name}' does not exist in the registry."
        raise Fault("RepositoryNotFoundException", message)
    return record


def images(name: str) -> list[Record]:
    """The images of a repository of the Region in scope. Raises: Fault."""
    repository(name)
    found: list[Record] = ministack.service("ecr")._images.setdefault(name, [])
    return found


def choose(name: str, wanted: Params) -> Record:
    """The image of an imageId: digest, tag, or both. Raises: Fault."""
    digest, tag = wanted.get("imageDigest"), wanted.get("imageTag")
    if digest is None and tag is None:
        raise Fault("InvalidParameterException", "An imageId needs a digest or a tag.")
    for image in images(name):
        if digest in (None, image["imageDigest"]) and (tag is None or tag in image["imageTags"]):
            return image
    message = f"The image with imageId {wanted} does not exist within the repository '{name}'."
    raise Fault("ImageNotFoundException", message)


def chosen(name: str, conditions: Params) -> list[Record]:
    """The images that a filter leaves; archived ones there are none."""
    if conditions.get("imageStatus", "ANY") not in ("ACTIVE", "ANY"):
        return []
    tagged = {"TAGGED": True, "UNTAGGED": False}.get(conditions.get("tagStatus", "ANY"))
    return [image for image in images(name) if tagged in (None, bool(image["imageTags"]))]


def ids(image: Record) -> list[Result]:
    """One imageId for each tag, or one without."""
    digest = {"imageDigest": image["imageDigest"]}
    return [digest | {"imageTag": tag} for tag in image["imageTags"]] or [digest]


def detail(image: Record) -> Result:
    """An image as DescribeImages has it."""
    tags = {"imageTags": sorted(image["imageTags"])} if image["imageTags"] else {}
    return tags | {
        "registryId": image["registryId"],
        "repositoryName": image["repositoryName"],
        "imageDigest": image["imageDigest"],
        "imageSizeInBytes": _size(image),
        "imagePushedAt": datetime.fromtimestamp(image["imagePushedAt"], UTC),
        "imageManifestMediaType": image["imageManifestMediaType"],
        "artifactMediaType": _document(image)
        .get("config", {})
        .get("mediaType", image["imageManifestMediaType"]),
        "imageStatus": "ACTIVE",
    }


def with_manifest(image: Record, wanted: Params) -> Result:
    """An image as BatchGetImage and PutImage have it, named as it was asked for."""
    tag = {"imageTag": wanted["imageTag"]} if "imageTag" in wanted else {}
    return {
        "registryId": image["registryId"],
        "repositoryName": image["repositoryName"],
        "imageId": {"imageDigest": image["imageDigest"]} | tag,
        "imageManifest": image["imageManifest"],
        "imageManifestMediaType": image["imageManifestMediaType"],
    }


def children(image: Record) -> list[str]:
    """The digests that an index refers to; none for a single manifest."""
    return [one["digest"] for one in _document(image).get("manifests", [])]


def _size(image: Record) -> int:
    document = _document(image)
    parts = [*document.get("layers", []), document.get("config", {})]
    return sum(int(part.get("size", 0)) for part in parts) or len(image["imageManifest"])


def _document(image: Record) -> dict[str, Any]:
    try:
        document = json.loads(image["imageManifest"])
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
