"""Image names as pod templates write them, taken apart, and who uses them.

`<host>/<repository>[:<tag>][@<digest>]`. The host decides which Region a node pulls from, so parity
compares names without it, and judges it by itself. Used by `inventory` and `images`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from platform_pipelines.kube.workloads import TemplateState

_ECR = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com")
DEFAULT_HOST = "docker.io"
SHORT = 12  # characters of a digest that people can compare


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ImageName:
    """An image's name without the registry's host."""

    repository: str
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return (
            f"{self.repository}{tag}@{short(self.digest)}" if self.digest else self.repository + tag
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An image that pod templates of one Region name."""

    host: str
    name: ImageName
    users: tuple[str, ...]  # the pod templates

    @property
    def registry(self) -> tuple[str, str] | None:
        """Account and Region (AWS name) of the host; None if it is no ECR registry."""
        match = _ECR.fullmatch(self.host)
        return (match["account"], match["region"]) if match else None


def short(digest: str) -> str:
    """A digest as people read it: `sha256:3f1c…`."""
    algorithm, _, value = digest.partition(":")
    return f"{algorithm}:{value[:SHORT]}"


def parse(text: str) -> tuple[str, ImageName]:
    """Host and name of an image, with the defaults that container runtimes take."""
    rest, _, digest = text.partition("@")
    head, slash, tail = rest.partition("/")
    host = head if slash and ("." in head or ":" in head or head == "localhost") else DEFAULT_HOST
    path = tail if host == head else rest
    repository, colon, tag = path.rpartition(":")
    if not colon:
        repository, tag = path, "" if digest else "latest"
    return host, ImageName(repository=repository, tag=tag, digest=digest)


def references(templates: Iterable[TemplateState]) -> tuple[Reference, ...]:
    """Every image that the templates name, once, with all who use it."""
    users: dict[tuple[str, ImageName], list[str]] = {}
    for template in templates:
        for image in template.images:
            users.setdefault(parse(image), []).append(str(template))
    return tuple(
        Reference(host=host, name=name, users=tuple(dict.fromkeys(used)))
        for (host, name), used in sorted(users.items())
    )
