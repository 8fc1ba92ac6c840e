"""S3: lifecycle rules that expire what they name."""

from typing import Any

import pytest

from tests.local.aws.accounts import DAY, SEOUL, Account

BUCKET = {"Bucket": "reports"}


@pytest.fixture
def account(account: Account) -> Account:
    """An account with an empty bucket."""
    place = {"LocationConstraint": SEOUL}
    account("s3", "CreateBucket", **BUCKET, CreateBucketConfiguration=place)
    return account


def rule(account: Account, **settings: Any) -> None:
    """Give the bucket one rule."""
    rules = [{"ID": "one", "Status": "Enabled", "Filter": {"Prefix": ""}, **settings}]
    asked = {"LifecycleConfiguration": {"Rules": rules}}
    account("s3", "PutBucketLifecycleConfiguration", **BUCKET, **asked)


def keys(account: Account) -> list[str]:
    """The objects that are there."""
    found = account("s3", "ListObjectsV2", **BUCKET).get("Contents", [])
    return [one["Key"] for one in found]


def test_objects_expire_after_their_days(account: Account) -> None:
    """Those with the prefix; the others stay."""
    rule(account, Filter={"Prefix": "logs/"}, Expiration={"Days": 30})
    for name in ("logs/run", "reports/inc-1"):
        account("s3", "PutObject", **BUCKET, Key=name, Body=b"x")
    account.wait(29 * DAY)
    assert len(keys(account)) == 2
    account.wait(3 * DAY)
    assert keys(account) == ["reports/inc-1"]


def test_replaced_versions_expire_after_their_days(account: Account) -> None:
    """Counted from when they were replaced; the newest stays."""
    on = {"VersioningConfiguration": {"Status": "Enabled"}}
    account("s3", "PutBucketVersioning", **BUCKET, **on)
    rule(account, NoncurrentVersionExpiration={"NoncurrentDays": 30})
    account("s3", "PutObject", **BUCKET, Key="a", Body=b"old")
    account.wait(60 * DAY)
    account("s3", "PutObject", **BUCKET, Key="a", Body=b"new")
    account.wait(29 * DAY)
    assert len(account("s3", "ListObjectVersions", **BUCKET)["Versions"]) == 2
    account.wait(3 * DAY)
    (left,) = account("s3", "ListObjectVersions", **BUCKET)["Versions"]
    assert left["IsLatest"]


def test_a_rule_that_is_disabled_does_nothing(account: Account) -> None:
    """Neither does one that was taken away."""
    rule(account, Expiration={"Days": 1}, Status="Disabled")
    account("s3", "PutObject", **BUCKET, Key="a", Body=b"x")
    account.wait(5 * DAY)
    rule(account, Expiration={"Days": 1})
    account("s3", "DeleteBucketLifecycle", **BUCKET)
    account.wait(5 * DAY)
    assert keys(account) == ["a"]


def test_an_upload_that_was_never_finished_is_aborted(account: Account) -> None:
    """After its days."""
    rule(account, AbortIncompleteMultipartUpload={"DaysAfterInitiation": 7})
    account("s3", "CreateMultipartUpload", **BUCKET, Key="big")
    account.wait(9 * DAY)
    assert account("s3", "ListMultipartUploads", **BUCKET).get("Uploads", []) == []


@pytest.mark.parametrize(
    "settings",
    [
        {"Transitions": [{"Days": 30, "StorageClass": "GLACIER"}]},
        {"Filter": {"Tag": {"Key": "a", "Value": "b"}}, "Expiration": {"Days": 1}},
    ],
)
def test_a_rule_that_nobody_would_carry_out_is_refused(
    account: Account, settings: dict[str, Any]
) -> None:
    """Rather than kept and forgotten."""
    rules = {"Rules": [{"Status": "Enabled", "Filter": {"Prefix": ""}, **settings}]}
    asked = {**BUCKET, "LifecycleConfiguration": rules}
    code = account.refused("s3", "PutBucketLifecycleConfiguration", **asked)
    assert code == "NotImplemented"
