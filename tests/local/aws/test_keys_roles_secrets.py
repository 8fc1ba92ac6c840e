"""KMS, IAM and Secrets Manager, where ministack alone would say yes without effect."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from platform_pipelines.local.aws.registry import Registry
from platform_pipelines.local.aws.service import Fault
from platform_pipelines.local.world import Outage, World

SEOUL, TOKYO = "ap-northeast-2", "ap-northeast-1"
DAY = 86400.0
ANYBODY = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}


@dataclass
class Account:
    """Calls of the platform's account."""

    world: World
    registry: Registry

    def __call__(self, service: str, operation: str, region: str = SEOUL, **params: Any) -> Any:
        """One call. Raises: Fault."""
        return self.registry.ask(service, operation, region, **params)

    def refused(self, service: str, operation: str, region: str = SEOUL, **params: Any) -> str:
        """The code with which a call is refused."""
        with pytest.raises(Fault) as told:
            self(service, operation, region, **params)
        return told.value.code

    def wait(self, seconds: float) -> None:
        """Let AWS-like time pass."""
        clock: Any = self.world.clock
        clock.move(clock.now() + seconds)
        self.world.timers.run_due()


def test_a_key_is_deleted_when_its_waiting_period_ends(account: Account) -> None:
    """With its aliases; until then it is there, and of no use."""
    key = account("kms", "CreateKey")["KeyMetadata"]["KeyId"]
    account("kms", "CreateAlias", AliasName="alias/platform", TargetKeyId=key)
    account("kms", "ScheduleKeyDeletion", KeyId=key, PendingWindowInDays=7)
    assert account.refused("kms", "EnableKeyRotation", KeyId=key) == "KMSInvalidStateException"
    account.wait(6.9 * DAY)
    found = account("kms", "DescribeKey", KeyId=key)["KeyMetadata"]
    assert found["KeyState"] == "PendingDeletion"
    account.wait(0.2 * DAY)
    assert account.refused("kms", "DescribeKey", KeyId=key) == "NotFoundException"
    assert account("kms", "ListAliases")["Aliases"] == []


def test_a_key_whose_deletion_was_cancelled_stays(account: Account) -> None:
    """And can be enabled again."""
    key = account("kms", "CreateKey")["KeyMetadata"]["KeyId"]
    account("kms", "ScheduleKeyDeletion", KeyId=key, PendingWindowInDays=7)
    account("kms", "CancelKeyDeletion", KeyId=key)
    account.wait(40 * DAY)
    assert account("kms", "DescribeKey", KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"
    assert account.refused("kms", "CancelKeyDeletion", KeyId=key) == "KMSInvalidStateException"


@pytest.mark.parametrize(
    "document",
    ["{", "[]", "{}", '{"Statement": [{"Effect": "Maybe"}]}', '{"Statement": {"Effect": "Allow"}}'],
)
def test_a_document_that_is_no_policy_is_refused(account: Account, document: str) -> None:
    """For trust and for permissions."""
    role = {"RoleName": "nodes", "AssumeRolePolicyDocument": document}
    assert account.refused("iam", "CreateRole", **role) == "MalformedPolicyDocument"
    policy = {"PolicyName": "p", "PolicyDocument": document}
    assert account.refused("iam", "CreatePolicy", **policy) == "MalformedPolicyDocument"


def test_only_policies_that_there_are_can_be_attached(account: Account) -> None:
    """AWS's own ones always are."""
    trust = json.dumps({"Statement": [ANYBODY]})
    account("iam", "CreateRole", RoleName="nodes", AssumeRolePolicyDocument=trust)
    missing = "arn:aws:iam::111122223333:policy/none"
    attach = {"RoleName": "nodes", "PolicyArn": missing}
    assert account.refused("iam", "AttachRolePolicy", **attach) == "NoSuchEntity"
    managed = "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"
    account("iam", "AttachRolePolicy", RoleName="nodes", PolicyArn=managed)
    attached = account("iam", "ListAttachedRolePolicies", RoleName="nodes")["AttachedPolicies"]
    assert [one["PolicyArn"] for one in attached] == [managed]


def test_a_new_secret_has_the_replicas_that_it_asks_for(account: Account) -> None:
    """A new value reaches them, and neither they nor their primary can be deleted before."""
    replicas = [{"Region": TOKYO}]
    secret: dict[str, Any] = {"Name": "db", "SecretString": "one", "AddReplicaRegions": replicas}
    made = account("secretsmanager", "CreateSecret", **secret)
    assert [one["Status"] for one in made["ReplicationStatus"]] == ["InSync"]
    account("secretsmanager", "PutSecretValue", SecretId="db", SecretString="two")
    found = account("secretsmanager", "GetSecretValue", TOKYO, SecretId="db")
    assert found["SecretString"] == "two"
    described = account("secretsmanager", "DescribeSecret", TOKYO, SecretId="db")
    assert described["PrimaryRegion"] == SEOUL
    delete = account.refused("secretsmanager", "DeleteSecret", SecretId="db")
    assert delete == "InvalidRequestException"
    gone: dict[str, Any] = {"SecretId": "db", "RemoveReplicaRegions": [TOKYO]}
    account("secretsmanager", "RemoveRegionsFromReplication", **gone)
    missing = account.refused("secretsmanager", "GetSecretValue", TOKYO, SecretId="db")
    assert missing == "ResourceNotFoundException"
    account("secretsmanager", "DeleteSecret", SecretId="db")


def test_a_replica_in_a_dark_region_follows_when_it_is_back(account: Account) -> None:
    """New ones and new values alike."""

    def statuses() -> list[str]:
        found = account("secretsmanager", "DescribeSecret", SecretId="db")
        return [one["Status"] for one in found["ReplicationStatus"]]

    account.world.outages["tokyo"] = Outage.HANG
    secret: dict[str, Any] = {
        "Name": "db",
        "SecretString": "one",
        "AddReplicaRegions": [{"Region": TOKYO}],
    }
    account("secretsmanager", "CreateSecret", **secret)
    account.wait(60)
    assert statuses() == ["InProgress"]
    assert account.refused("secretsmanager", "GetSecretValue", TOKYO, SecretId="db")
    account("secretsmanager", "PutSecretValue", SecretId="db", SecretString="two")
    account.world.outages.clear()
    account.wait(60)
    assert statuses() == ["InSync"]
    found = account("secretsmanager", "GetSecretValue", TOKYO, SecretId="db")
    assert found["SecretString"] == "two"
