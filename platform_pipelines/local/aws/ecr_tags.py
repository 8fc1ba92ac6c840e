"""Which tags of a repository may move to another image: its mutability, and the exceptions to it.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
"""

import re

from platform_pipelines.local.aws.ecr_records import Image, Repository
from platform_pipelines.local.aws.service import Fault


def immutable(repository: Repository, tag: str) -> bool:
    """Whether a tag stays with its image for ever."""
    excluded = any(matches(one["filter"], tag) for one in repository.exclusions)
    match repository.mutability:
        case "IMMUTABLE":
            return True
        case "IMMUTABLE_WITH_EXCLUSION":
            return not excluded
        case "MUTABLE_WITH_EXCLUSION":
            return excluded
    return False


def matches(pattern: str, text: str) -> bool:
    """Whether a text is of a pattern, in which `*` is any characters."""
    parts = ".*".join(map(re.escape, pattern.split("*")))
    return re.fullmatch(parts, text) is not None


def check(repository: Repository, image: Image | None, tag: str | None, digest: str) -> None:
    """Whether an image may be pushed under a tag. Raises: Fault."""
    where = f"the repository with name '{repository.name}' in registry '{repository.account}'"
    if image is not None and image.status == "ACTIVE" and tag in (None, *image.tags):
        named = f" and tag '{tag}'" if tag else ""
        message = f"Image with digest '{digest}'{named} already exists in {where}"
        raise Fault("ImageAlreadyExistsException", message)
    holder = repository.tagged(tag) if tag else None
    if tag and holder not in (None, image) and immutable(repository, tag):
        message = (
            f"The image tag '{tag}' already exists in the '{repository.name}' repository and "
            "cannot be overwritten because the tag is immutable."
        )
        raise Fault("ImageTagAlreadyExistsException", message)


def give(repository: Repository, image: Image, tag: str | None) -> None:
    """Let a tag name this image and no other one."""
    if tag is None:
        return
    for other in repository.images:
        if tag in other.tags:
            other.tags.remove(tag)
    image.tags.append(tag)
