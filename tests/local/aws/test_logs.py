"""CloudWatch Logs: log groups, and the keys that may encrypt them."""

import json
from typing import Any

from tests.local.aws.accounts import SEOUL, TOKYO, Account

GROUP = {"logGroupName": "/vpc/flows"}
ARN = f"arn:aws:logs:{SEOUL}:111122223333:log-group:/vpc/flows"
INVALID = "InvalidParameterException"


def described(account: Account, **asked: Any) -> list[dict[str, Any]]:
    """The log groups that are asked for."""
    found: list[dict[str, Any]] = account("logs", "DescribeLogGroups", **asked)["logGroups"]
    return found


def key(account: Account, *principals: str) -> str:
    """A key that these services may use; its ARN."""
    owner = {"AWS": "arn:aws:iam::111122223333:root"}
    granted = [owner, *({"Service": one} for one in principals)]
    statements = [
        {"Effect": "Allow", "Principal": one, "Action": "kms:*", "Resource": "*"} for one in granted
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    made = account("kms", "CreateKey", Policy=policy)["KeyMetadata"]["Arn"]
    return str(made)


def test_a_log_group_is_there_until_it_is_deleted(account: Account) -> None:
    """In its Region only; its ARN ends with a wildcard where permissions need it."""
    account("logs", "CreateLogGroup", **GROUP)
    assert account.refused("logs", "CreateLogGroup", **GROUP) == "ResourceAlreadyExistsException"
    (group,) = described(account)
    assert (group["arn"], group["logGroupArn"]) == (f"{ARN}:*", ARN)
    assert "retentionInDays" not in group
    found = account("logs", "DescribeLogGroups", TOKYO)["logGroups"]
    assert found == []
    account("logs", "DeleteLogGroup", **GROUP)
    assert account.refused("logs", "DeleteLogGroup", **GROUP) == "ResourceNotFoundException"


def test_a_retention_is_one_of_the_known_ones(account: Account) -> None:
    """And can be taken away again."""
    account("logs", "CreateLogGroup", **GROUP)
    account("logs", "PutRetentionPolicy", **GROUP, retentionInDays=90)
    assert described(account)[0]["retentionInDays"] == 90
    code = account.refused("logs", "PutRetentionPolicy", **GROUP, retentionInDays=91)
    assert code == INVALID
    account("logs", "DeleteRetentionPolicy", **GROUP)
    assert "retentionInDays" not in described(account)[0]


def test_a_key_has_to_let_cloudwatch_logs_in(account: Account) -> None:
    """By its own policy: the rights of the caller do not help."""
    closed, other = key(account), key(account, f"logs.{TOKYO}.amazonaws.com")
    for wrong in (closed, other, "alias/peccy", f"arn:aws:kms:{SEOUL}:111122223333:key/none"):
        assert account.refused("logs", "CreateLogGroup", **GROUP, kmsKeyId=wrong) == INVALID
    right = key(account, f"logs.{SEOUL}.amazonaws.com")
    account("logs", "CreateLogGroup", **GROUP, kmsKeyId=right)
    assert described(account)[0]["kmsKeyId"] == right
    account("logs", "DisassociateKmsKey", **GROUP)
    assert "kmsKeyId" not in described(account)[0]
    assert account.refused("logs", "AssociateKmsKey", **GROUP, kmsKeyId=closed) == INVALID


def test_a_protected_log_group_is_not_deleted(account: Account) -> None:
    """Until its protection is taken away."""
    account("logs", "CreateLogGroup", **GROUP, deletionProtectionEnabled=True)
    assert account.refused("logs", "DeleteLogGroup", **GROUP) == "ValidationException"
    off = {"logGroupIdentifier": ARN, "deletionProtectionEnabled": False}
    account("logs", "PutLogGroupDeletionProtection", **off)
    account("logs", "DeleteLogGroup", **GROUP)
    assert described(account) == []


def test_tags_are_of_a_log_group(account: Account) -> None:
    """By an ARN without the wildcard."""
    account("logs", "CreateLogGroup", **GROUP, tags={"stack": "network"})
    account("logs", "TagResource", resourceArn=ARN, tags={"region": "seoul"})
    account("logs", "UntagResource", resourceArn=ARN, tagKeys=["stack"])
    tags = account("logs", "ListTagsForResource", resourceArn=ARN)["tags"]
    assert tags == {"region": "seoul"}
    assert account.refused("logs", "ListTagsForResource", resourceArn=f"{ARN}:*") == INVALID


def test_log_groups_are_found_by_prefix_pattern_and_page(account: Account) -> None:
    """By name, in order; a prefix and a pattern exclude each other."""
    for name in ("/b/one", "/a/two", "/a/One"):
        account("logs", "CreateLogGroup", logGroupName=name)
    names = [one["logGroupName"] for one in described(account, logGroupNamePrefix="/a/")]
    assert names == ["/a/One", "/a/two"]
    assert len(described(account, logGroupNamePattern="one")) == 2
    both = {"logGroupNamePrefix": "/a", "logGroupNamePattern": "one"}
    assert account.refused("logs", "DescribeLogGroups", **both) == INVALID
    first = account("logs", "DescribeLogGroups", limit=2)
    rest = described(account, nextToken=first["nextToken"])
    assert [one["logGroupName"] for one in rest] == ["/b/one"]


def test_log_groups_outlive_the_server(account: Account) -> None:
    """A server that is started again goes on with them."""
    account("logs", "CreateLogGroup", **GROUP, tags={"a": "b"})
    service = account.registry._services["logs"]
    kept = json.loads(json.dumps(service.dump()))
    service.load({})
    assert described(account) == []
    service.load(kept)
    assert account("logs", "ListTagsForResource", resourceArn=ARN)["tags"] == {"a": "b"}
