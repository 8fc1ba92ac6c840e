"""ECR: the images that a request names or filters, and how they are described.

Used by the operations of images and of lifecycle policies.
"""

import re
from typing import Any

from platform_pipelines.local.aws.answers import moment
from platform_pipelines.local.aws.ecr_records import Image, Repository
from platform_pipelines.local.aws.ecr_requests import PAGE, invalid
from platform_pipelines.local.aws.service import Fault, Params, Result

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
TAG = re.compile(r"\w[\w.-]{0,299}", re.ASCII)


def ids(params: Params) -> list[Params]:
    """The imageIds of a batch. Raises: Fault."""
    found: list[Params] = params["imageIds"]
    if not 1 <= len(found) <= PAGE:
        invalid(f"Between 1 and {PAGE} imageIds are allowed")
    return found


def find(repository: Repository, wanted: Params) -> Image | None:
    """The image of an imageId: digest, tag, or both."""
    digest, tag = wanted.get("imageDigest"), wanted.get("imageTag")
    image = repository.tagged(tag) if tag is not None else repository.image(digest or "")
    return None if image is None or digest not in (None, image.digest) else image


def choose(repository: Repository, wanted: Params) -> Image:
    """The image of an imageId. Raises: Fault."""
    if not wanted.keys() & {"imageDigest", "imageTag"}:
        invalid("An imageId needs a digest or a tag.")
    image = find(repository, wanted)
    if image is None:
        digest, tag = wanted.get("imageDigest", "null"), wanted.get("imageTag", "null")
        message = (
            f"The image with imageId {{imageDigest:'{digest}', imageTag:'{tag}'}} does not exist "
            f"within the repository with name '{repository.name}' in the registry with id "
            f"'{repository.account}'"
        )
        raise Fault("ImageNotFoundException", message)
    return image


def filtered(repository: Repository, conditions: Params) -> list[Image]:
    """The images that a filter leaves; only ACTIVE ones unless it says otherwise."""
    tagged = {"TAGGED": True, "UNTAGGED": False}.get(conditions.get("tagStatus", "ANY"))
    status = conditions.get("imageStatus", "ACTIVE")
    return [
        one
        for one in repository.images
        if tagged in (None, bool(one.tags)) and status in ("ANY", one.status)
    ]


def named(image: Image) -> list[Result]:
    """One imageId for each tag, or one without."""
    digest = {"imageDigest": image.digest}
    return [digest | {"imageTag": tag} for tag in image.tags] or [digest]


def detail(repository: Repository, image: Image) -> Result:
    """An image as DescribeImages has it."""
    config = image.document.get("config", {})
    times = {"lastArchivedAt": image.archived, "lastActivatedAt": image.activated}
    return {
        "registryId": repository.account,
        "repositoryName": repository.name,
        "imageDigest": image.digest,
        **({"imageTags": sorted(image.tags)} if image.tags else {}),
        "imageSizeInBytes": _size(repository, image),
        "imagePushedAt": moment(image.pushed),
        "imageManifestMediaType": image.media_type,
        "artifactMediaType": config.get("mediaType", image.media_type),
        "imageStatus": image.status.value,
        **{key: moment(value) for key, value in times.items() if value is not None},
    }


def _size(repository: Repository, image: Image) -> int:
    """Of an index, the size of its largest image."""
    children = [repository.image(digest) for digest in image.children]
    sizes = [sum(child.blobs.values()) for child in children if child is not None]
    return max(sizes, default=0) or sum(image.blobs.values()) or len(image.manifest)


def pulled(repository: Repository, image: Image, wanted: Params) -> Result:
    """An image as BatchGetImage and PutImage have it, named as it was asked for."""
    tag = {"imageTag": wanted["imageTag"]} if "imageTag" in wanted else {}
    return {
        "registryId": repository.account,
        "repositoryName": repository.name,
        "imageId": {"imageDigest": image.digest} | tag,
        "imageManifest": image.manifest,
        "imageManifestMediaType": image.media_type,
    }


def failure(repository: Repository, wanted: Params) -> Result | None:
    """Why an imageId names nothing; None if it does."""
    digest, tag = wanted.get("imageDigest"), wanted.get("imageTag")
    if digest is None and tag is None:
        return failed(wanted, "MissingDigestAndTag", "No digest and no tag")
    if digest is not None and not DIGEST.fullmatch(digest):
        return failed(wanted, "InvalidImageDigest", "The digest is not valid")
    if tag is not None and not TAG.fullmatch(tag):
        return failed(wanted, "InvalidImageTag", "The tag is not valid")
    if find(repository, wanted) is not None:
        return None
    if digest is not None and tag is not None and repository.tagged(tag) is not None:
        return failed(wanted, "ImageTagDoesNotMatchDigest", "The tag names another image")
    return failed(wanted, "ImageNotFound", "Requested image not found")


def failed(wanted: Params, code: str, reason: str) -> Result:
    """An imageId of a batch that cannot be served, and why."""
    return {"imageId": wanted, "failureCode": code, "failureReason": reason}


def kept(repository: Repository, wanted: Params) -> Result | None:
    """Why an image cannot go: an index needs it."""
    image = choose(repository, wanted)
    goes = "imageTag" not in wanted or len(image.tags) == 1
    if goes and image.digest in referenced(repository):
        reason = "Requested image referenced by manifest list"
        return failed(wanted, "ImageReferencedByManifestList", reason)
    return None


def delete(repository: Repository, wanted: Params) -> list[Result]:
    """Take off a tag, or delete an image; what is gone."""
    image = choose(repository, wanted)
    gone: list[dict[str, Any]] = [one for one in named(image) if wanted.items() <= one.items()]
    tags = {one.get("imageTag") for one in gone}
    image.tags = [tag for tag in image.tags if tag not in tags]
    if not image.tags:
        repository.images.remove(image)
    return gone


def referenced(repository: Repository) -> set[str]:
    """The digests of which an index of the repository consists."""
    return {digest for image in repository.images for digest in image.children}
