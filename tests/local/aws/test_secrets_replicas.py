"""Secrets Manager: replicas with keys of their own Regions, and the end of a deleted secret."""

from typing import Any

from platform_pipelines.local.world import Outage
from tests.local.aws.accounts import DAY, SEOUL, TOKYO, Account

ALIAS = "alias/peccy"
MISSING = "ResourceNotFoundException"


def key(account: Account, region: str) -> str:
    """The platform's key of a Region; its ARN."""
    made = account("kms", "CreateKey", region)["KeyMetadata"]
    account("kms", "CreateAlias", region, AliasName=ALIAS, TargetKeyId=made["KeyId"])
    return str(made["Arn"])


def secret(account: Account, **more: Any) -> list[dict[str, Any]]:
    """A secret with a replica in Tokyo; the replica's status."""
    replica = {"Region": TOKYO, "KmsKeyId": ALIAS}
    asked = {"Name": "db", "SecretString": "one", "AddReplicaRegions": [replica], **more}
    made = account("secretsmanager", "CreateSecret", **asked)
    found: list[dict[str, Any]] = made["ReplicationStatus"]
    return found


def value(account: Account, region: str) -> str:
    """What a Region reads."""
    return str(account("secretsmanager", "GetSecretValue", region, SecretId="db")["SecretString"])


def test_a_replica_is_read_while_its_primary_is_dark(account: Account) -> None:
    """It needs nothing of the other Region; a value that comes later follows when it can."""
    key(account, TOKYO)
    assert secret(account)[0]["Status"] == "InSync"
    account.world.outages["seoul"] = Outage.HANG
    assert value(account, TOKYO) == "one"
    account("secretsmanager", "PutSecretValue", SecretId="db", SecretString="two")
    account.wait(60)
    assert value(account, TOKYO) == "one"
    account.world.outages.clear()
    account.wait(60)
    assert value(account, TOKYO) == "two"


def test_a_replica_needs_a_key_of_its_own_region(account: Account) -> None:
    """Without one it fails, and the secret is there; it is made when somebody asks again."""
    (status,) = secret(account)
    assert status["Status"] == "Failed"
    assert account.refused("secretsmanager", "GetSecretValue", TOKYO, SecretId="db") == MISSING
    key(account, TOKYO)
    again = {"SecretId": "db", "AddReplicaRegions": [{"Region": TOKYO, "KmsKeyId": ALIAS}]}
    answer = account("secretsmanager", "ReplicateSecretToRegions", **again)
    assert [one["Status"] for one in answer["ReplicationStatus"]] == ["InSync"]
    assert value(account, TOKYO) == "one"


def test_another_secret_of_the_name_is_not_overwritten(account: Account) -> None:
    """The status tells; by force it is."""
    key(account, TOKYO)
    account("secretsmanager", "CreateSecret", TOKYO, Name="db", SecretString="other")
    assert (
        secret(account)[0]["StatusMessage"] == "Secret with this name already exists in this region"
    )
    assert value(account, TOKYO) == "other"
    replica = {"AddReplicaRegions": [{"Region": TOKYO}], "ForceOverwriteReplicaSecret": True}
    account("secretsmanager", "ReplicateSecretToRegions", SecretId="db", **replica)
    assert value(account, TOKYO) == "one"


def test_a_secret_is_as_readable_as_its_key(account: Account) -> None:
    """A key that is not there encrypts nothing, a disabled one decrypts nothing; each Region's own."""
    seoul, tokyo = key(account, SEOUL), key(account, TOKYO)
    assert account.refused(
        *("secretsmanager", "CreateSecret"), Name="db", SecretString="x", KmsKeyId=tokyo
    ) == ("EncryptionFailure")
    secret(account, KmsKeyId=seoul)
    account("kms", "DisableKey", KeyId=seoul)
    assert account.refused("secretsmanager", "GetSecretValue", SecretId="db") == "DecryptionFailure"
    assert value(account, TOKYO) == "one"


def test_a_second_replica_leaves_the_first_alone(account: Account) -> None:
    """Also while the first cannot be reached."""
    key(account, TOKYO)
    secret(account)
    account.world.outages["tokyo"] = Outage.DATA_PLANE
    third = {"AddReplicaRegions": [{"Region": "ap-northeast-3"}]}
    account("secretsmanager", "ReplicateSecretToRegions", SecretId="db", **third)
    assert value(account, TOKYO) == "one"


def test_a_deleted_secret_ends_with_its_window(account: Account) -> None:
    """One that was restored meanwhile does not."""
    for name in ("gone", "kept"):
        account("secretsmanager", "CreateSecret", Name=name, SecretString="x")
        account("secretsmanager", "DeleteSecret", SecretId=name, RecoveryWindowInDays=7)
    account.wait(6 * DAY)
    account("secretsmanager", "RestoreSecret", SecretId="kept")
    account.wait(2 * DAY)
    assert account.refused("secretsmanager", "DescribeSecret", SecretId="gone") == MISSING
    assert account("secretsmanager", "GetSecretValue", SecretId="kept")["SecretString"] == "x"
