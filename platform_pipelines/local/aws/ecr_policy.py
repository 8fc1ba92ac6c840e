"""What an ECR lifecycle policy says of a repository's images: rules, read and judged.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from platform_pipelines.local.aws.ecr_records import Image, Repository, Status
from platform_pipelines.local.aws.ecr_requests import invalid
from platform_pipelines.local.aws.ecr_tags import matches

DAY = 86_400.0
ARCHIVED_FOR = 90  # days that an archived image is kept at least
Texts = Annotated[list[str], Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Selection(_Strict):
    """Which images a rule is about, and how many or how old are too many."""

    tagStatus: Literal["tagged", "untagged", "any"]  # noqa: N815
    tagPrefixList: Texts | None = None  # noqa: N815
    tagPatternList: Texts | None = None  # noqa: N815
    storageClass: Literal["standard", "archive"] = "standard"  # noqa: N815
    countType: Literal[  # noqa: N815
        "imageCountMoreThan", "sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned"
    ]
    countUnit: Literal["days"] | None = None  # noqa: N815
    countNumber: int = Field(ge=1)  # noqa: N815

    @model_validator(mode="after")
    def _fits(self) -> "Selection":
        lists = (self.tagPrefixList, self.tagPatternList)
        if (self.tagStatus == "tagged") != any(lists) or all(lists):
            raise ValueError("tagStatus tagged needs a tagPrefixList or a tagPatternList")
        if (self.countType == "imageCountMoreThan") != (self.countUnit is None):
            raise ValueError("countUnit goes with every countType but imageCountMoreThan")
        if (self.countType == "sinceImageTransitioned") != (self.storageClass == "archive"):
            raise ValueError("storageClass archive goes with sinceImageTransitioned")
        if self.storageClass == "archive" and self.countNumber < ARCHIVED_FOR:
            raise ValueError(f"archived images are kept for {ARCHIVED_FOR} days at least")
        return self

    def matches(self, image: Image) -> bool:
        """Whether the rule is about an image, whatever its age."""
        wanted = Status.ACTIVE if self.storageClass == "standard" else Status.ARCHIVED
        if image.status is not wanted or (self.tagStatus == "untagged" and image.tags):
            return False
        patterns = self.tagPatternList or [f"{prefix}*" for prefix in self.tagPrefixList or []]
        return all(any(matches(one, tag) for tag in image.tags) for one in patterns)

    def beyond(self, images: list[Image], now: float) -> list[Image]:
        """Those of its images that are too many or too old."""
        newest = sorted(images, key=lambda image: image.pushed, reverse=True)
        if self.countType == "imageCountMoreThan":
            return newest[self.countNumber :]
        limit = now - self.countNumber * DAY
        return [one for one in newest if self._since(one) <= limit]

    def _since(self, image: Image) -> float:
        moved = image.archived if self.countType == "sinceImageTransitioned" else None
        return image.pushed if moved is None else moved


class Action(_Strict):
    """What becomes of them."""

    type: Literal["expire", "transition"]
    targetStorageClass: Literal["archive"] | None = None  # noqa: N815

    @model_validator(mode="after")
    def _fits(self) -> "Action":
        if (self.type == "transition") != (self.targetStorageClass is not None):
            raise ValueError("targetStorageClass goes with transition only")
        return self


class Rule(_Strict):
    """One rule of a policy."""

    rulePriority: int = Field(ge=1)  # noqa: N815
    description: str | None = None
    selection: Selection
    action: Action


class Policy(_Strict):
    """A lifecycle policy."""

    rules: list[Rule] = Field(min_length=1)

    @model_validator(mode="after")
    def _ordered(self) -> "Policy":
        priorities = [rule.rulePriority for rule in self.rules]
        if len(set(priorities)) != len(priorities):
            raise ValueError("each rulePriority can be used once")
        for storage in ("standard", "archive"):
            about = [one for one in self.ordered if one.selection.storageClass == storage]
            if any(rule.selection.tagStatus == "any" for rule in about[:-1]):
                raise ValueError("the rule of tagStatus any must have the highest rulePriority")
        return self

    @property
    def ordered(self) -> list[Rule]:
        """The rules in the order in which they are applied."""
        return sorted(self.rules, key=lambda rule: rule.rulePriority)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a rule does to an image."""

    image: Image
    priority: int
    archives: bool  # else it expires


def check(text: str) -> None:
    """Whether a policy's text is a policy. Raises: Fault."""
    _parse(text)


def judge(repository: Repository, text: str, now: float) -> list[Verdict]:
    """What a policy does to a repository's images now."""
    return list(_verdicts(repository, _parse(text), now))


def _verdicts(repository: Repository, policy: Policy, now: float) -> Iterator[Verdict]:
    needed = {digest for image in repository.images for digest in image.children}
    claimed: set[str] = set()
    for rule in policy.ordered:
        about = [image for image in repository.images if rule.selection.matches(image)]
        for image in rule.selection.beyond(about, now):
            if image.digest not in claimed | needed:
                archives = rule.action.type == "transition"
                yield Verdict(image=image, priority=rule.rulePriority, archives=archives)
        claimed |= {image.digest for image in about}


def _parse(text: str) -> Policy:
    try:
        return Policy.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        why = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        constraint = f"'Lifecycle policy validation failure: {why}'"
        parameter = "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint"
        invalid(f"{parameter}: {constraint}")
