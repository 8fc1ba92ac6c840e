import json
from typing import Any

import pytest

from platform_pipelines.local.aws.service import Fault
from tests.local.aws.regions import Regions
from tests.local.aws.registries import WHERE, digests, push, put

DAY = 86_400


@pytest.fixture
def seoul(regions: Regions) -> Regions:
    """Both Regions, with an empty repository in Seoul."""
    regions("seoul", "ecr", "CreateRepository", **WHERE)
    return regions


def rule(priority: int = 1, action: str = "expire", **selection: Any) -> dict[str, Any]:
    """A rule about images by their age in days, unless `selection` says otherwise."""
    wanted = {"tagStatus": "untagged", "countType": "sinceImagePushed", "countNumber": 14}
    if selection.get("countType") != "imageCountMoreThan":
        wanted["countUnit"] = "days"
    target = {"targetStorageClass": "archive"} if action == "transition" else {}
    return {
        "rulePriority": priority,
        "selection": wanted | selection,
        "action": {"type": action} | target,
    }


def policy(regions: Regions, *rules: dict[str, Any]) -> None:
    """Set Seoul's lifecycle policy."""
    text = json.dumps({"rules": rules})
    regions("seoul", "ecr", "PutLifecyclePolicy", **WHERE, lifecyclePolicyText=text)


def manifest(number: int) -> str:
    """One of many manifests."""
    return json.dumps({"schemaVersion": 2, "n": number})


def test_old_untagged_images_expire_within_a_day(seoul: Regions) -> None:
    """Tagged ones and younger ones stay."""
    policy(seoul, rule())
    old, tagged = put(seoul, manifest(1)), put(seoul, manifest(2), "kept")
    seoul.advance(13 * DAY)
    young = put(seoul, manifest(3))
    seoul.advance(2 * DAY)
    assert set(digests(seoul, "seoul")) == {tagged, young}
    assert old not in digests(seoul, "seoul")
    found = seoul("seoul", "ecr", "GetLifecyclePolicy", **WHERE)
    assert (seoul.world.datetime() - found["lastEvaluatedAt"]).total_seconds() <= DAY


def test_the_images_of_an_index_stay_with_it(seoul: Regions) -> None:
    """Though they are untagged."""
    policy(seoul, rule())
    push(seoul)
    seoul.advance(30 * DAY)
    assert len(digests(seoul, "seoul")) == 3


def test_the_newest_images_are_kept(seoul: Regions) -> None:
    """A count, of a tag's prefix."""
    policy(
        seoul,
        rule(
            tagStatus="tagged",
            tagPrefixList=["v"],
            countType="imageCountMoreThan",
            countNumber=2,
        ),
    )
    made = []
    for number in range(4):
        made.append(put(seoul, manifest(number), f"v{number}"))
        seoul.advance(60)
    other = put(seoul, manifest(9), "other")
    seoul.advance(DAY)
    assert set(digests(seoul, "seoul")) == {*made[2:], other}


def test_a_rule_leaves_what_an_earlier_rule_is_about(seoul: Regions) -> None:
    """The last one is about any image, and still spares those of the first."""
    policy(
        seoul,
        rule(1, tagStatus="tagged", tagPatternList=["prod*"], countNumber=100),
        rule(2, tagStatus="any", countNumber=1),
    )
    kept, gone = put(seoul, manifest(1), "prod-1"), put(seoul, manifest(2), "dev-1")
    seoul.advance(3 * DAY)
    assert set(digests(seoul, "seoul")) == {kept}
    assert gone not in digests(seoul, "seoul")


def test_images_are_archived_and_then_expire(seoul: Regions) -> None:
    """After their time in the archive, at least ninety days."""
    policy(
        seoul,
        rule(1, "transition", tagStatus="any", countNumber=1),
        rule(
            2,
            tagStatus="any",
            storageClass="archive",
            countType="sinceImageTransitioned",
            countNumber=90,
        ),
    )
    put(seoul, manifest(1), "one")
    every = {"filter": {"imageStatus": "ANY"}}

    def states() -> list[str]:
        found = seoul("seoul", "ecr", "DescribeImages", **WHERE, **every)["imageDetails"]
        return [str(one["imageStatus"]) for one in found]

    seoul.advance(2 * DAY)
    assert states() == ["ARCHIVED"]
    seoul.advance(88 * DAY)
    assert states() == ["ARCHIVED"]
    seoul.advance(2 * DAY)
    assert states() == []


def test_a_preview_tells_what_a_policy_would_do(seoul: Regions) -> None:
    """And does nothing."""
    put(seoul, manifest(1))
    seoul.advance(15 * DAY)
    text = json.dumps({"rules": [rule()]})
    start = "StartLifecyclePolicyPreview"
    seoul("seoul", "ecr", start, **WHERE, lifecyclePolicyText=text)
    with pytest.raises(Fault, match="LifecyclePolicyPreviewInProgressException"):
        seoul("seoul", "ecr", start, **WHERE, lifecyclePolicyText=text)
    found = seoul("seoul", "ecr", "GetLifecyclePolicyPreview", **WHERE)
    assert (found["status"], found["previewResults"]) == ("IN_PROGRESS", [])
    seoul.advance(20)
    found = seoul("seoul", "ecr", "GetLifecyclePolicyPreview", **WHERE)
    assert found["status"] == "COMPLETE"
    assert found["summary"]["expiringImageTotalCount"] == 1
    assert found["previewResults"][0]["appliedRulePriority"] == 1
    assert len(digests(seoul, "seoul")) == 1


def test_without_a_policy_there_is_none(seoul: Regions) -> None:
    """Each operation says so in its own words."""
    with pytest.raises(Fault, match="LifecyclePolicyNotFoundException"):
        seoul("seoul", "ecr", "GetLifecyclePolicy", **WHERE)
    with pytest.raises(Fault, match="LifecyclePolicyPreviewNotFoundException"):
        seoul("seoul", "ecr", "GetLifecyclePolicyPreview", **WHERE)
    policy(seoul, rule())
    seoul("seoul", "ecr", "DeleteLifecyclePolicy", **WHERE)
    with pytest.raises(Fault, match="LifecyclePolicyNotFoundException"):
        seoul("seoul", "ecr", "DeleteLifecyclePolicy", **WHERE)


@pytest.mark.parametrize(
    "rules",
    [
        [],
        [rule(), rule()],
        [rule(tagStatus="tagged")],
        [rule(tagPrefixList=["v"])],
        [rule(countUnit="weeks")],
        [rule(1, tagStatus="any"), rule(2)],
        [rule(storageClass="archive", countType="sinceImageTransitioned", countNumber=89)],
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(
    seoul: Regions, rules: list[dict[str, Any]]
) -> None:
    """With the place of the mistake."""
    with pytest.raises(Fault, match="Lifecycle policy validation failure"):
        policy(seoul, *rules)
