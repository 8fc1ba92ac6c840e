"""A change of a template's tags, in the words of each service."""

from typing import Any

import pytest

from platform_pipelines.local.aws.cloudformation_retag import retag, tags_for
from platform_pipelines.local.aws.cloudformation_types import Calls
from platform_pipelines.local.aws.service import Call, Result

Asked = list[tuple[str, dict[str, Any]]]


class Listening(Calls):
    """Calls that are written down, after botocore has looked at them."""

    region = "ap-northeast-2"
    account = "111122223333"

    def __init__(self) -> None:
        super().__init__(self._noted)
        self.asked: Asked = []

    def _noted(self, call: Call) -> Result:
        self.asked.append((call.operation, call.params))
        return {}


def test_what_is_gone_is_removed_before_the_rest_is_set() -> None:
    """All tags that are to be there are set, if any of them differs."""
    calls, old = Listening(), [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    new = [{"Key": "b", "Value": "3"}, {"Key": "c", "Value": "4"}]
    retag(calls, "sns", {"ResourceArn": "arn"}, old, new)
    assert calls.asked == [
        ("UntagResource", {"ResourceArn": "arn", "TagKeys": ["a"]}),
        ("TagResource", {"ResourceArn": "arn", "Tags": new}),
    ]


@pytest.mark.parametrize(("old", "new"), [(None, []), ({"a": "1"}, [{"Key": "a", "Value": "1"}])])
def test_equal_tags_need_no_call(old: Any, new: Any) -> None:
    """Whether a template has them as a list, as a map or not at all."""
    calls = Listening()
    retag(calls, "logs", {"resourceArn": "arn"}, old, new)
    assert calls.asked == []


@pytest.mark.parametrize(
    ("service", "operation", "said"),
    [
        ("ec2", "CreateTags", {"Tags": [{"Key": "a", "Value": "1"}]}),
        ("eks", "TagResource", {"tags": {"a": "1"}}),
        ("codepipeline", "TagResource", {"tags": [{"key": "a", "value": "1"}]}),
        ("chatbot", "TagResource", {"Tags": [{"TagKey": "a", "TagValue": "1"}]}),
        ("codestar-notifications", "TagResource", {"Tags": {"a": "1"}}),
    ],
)
def test_each_service_has_words_of_its_own(service: str, operation: str, said: Any) -> None:
    """As botocore's model has them."""
    assert tags_for(service, operation, {"a": "1"}) == said


@pytest.mark.parametrize(
    ("service", "operation", "said"),
    [
        ("ec2", "DeleteTags", {"Tags": [{"Key": "a"}]}),
        ("logs", "UntagResource", {"tagKeys": ["a"]}),
        ("rds", "RemoveTagsFromResource", {"TagKeys": ["a"]}),
    ],
)
def test_tags_are_removed_by_their_keys(service: str, operation: str, said: Any) -> None:
    """Without their values, so that one that somebody has changed goes as well."""
    assert tags_for(service, operation, {"a": None}) == said
