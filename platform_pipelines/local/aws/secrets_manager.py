"""Secrets Manager: replicas of a secret follow it while their Regions can be reached.

A replica is encrypted with a key of its own Region; without one it fails, and the secret is there.
ministack copies whatever is dark, and forgets the replicas that a new secret asks for.
https://docs.aws.amazon.com/secretsmanager/latest/userguide/replicate-secrets.html
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import secrets_keys, stores
from platform_pipelines.local.aws.service import Call, Fault, Result, Service, operation

Record = dict[str, Any]
FOLLOW, PURGE = "secretsmanager.follow", "secretsmanager.purge"
_DAY = 86400.0
_WINDOW = 30  # days, if the caller says nothing
_RETRY = 30.0  # AWS-like seconds until a replica that could not be reached is tried again
_MISSING = "ResourceNotFoundException"
_REQUEST = "InvalidRequestException"
_FAILED = "Failed"
_IN_SYNC = {"Status": "InSync", "StatusMessage": "Replication succeeded"}


class SecretsManager(Service):
    """Secrets, their versions, and their replicas."""

    name = "secretsmanager"
    passes = frozenset(
        {
            *("ListSecrets", "RestoreSecret", "PutSecretValue"),
            *("ListSecretVersionIds", "UpdateSecretVersionStage", "GetRandomPassword"),
            *("TagResource", "UntagResource"),
            *("GetResourcePolicy", "PutResourcePolicy", "DeleteResourcePolicy"),
        }
    )

    def start(self) -> None:
        self.world.timers.on(FOLLOW, self._follow)
        self.world.timers.on(PURGE, self._purge)
        module = ministack.service("secretsmanager")
        original = module._sync_replicas
        self._copy: Callable[[Record], None] = getattr(original, "copies", original)

        def synchronise(secret: Record) -> None:
            self._synchronise(secret)

        synchronise.__dict__["copies"] = self._copy
        module.__dict__["_sync_replicas"] = synchronise

    @operation(
        raises=(
            *("EncryptionFailure", "InvalidParameterException"),
            *(_REQUEST, "ResourceExistsException"),
        ),
        states="of a replica: InProgress → InSync | Failed",
    )
    def CreateSecret(self, call: Call) -> Result:  # noqa: N802
        _check_key(call, call.params.get("KmsKeyId"), "EncryptionFailure")
        wanted = call.params.get("AddReplicaRegions")
        answer = stores.ask(call)
        if wanted:
            named = ("AddReplicaRegions", "ForceOverwriteReplicaSecret")
            params = {name: call.params[name] for name in named if name in call.params}
            answer |= self._replicate(call, {"SecretId": answer["ARN"]} | params)
        return answer

    @operation(
        raises=(
            *("EncryptionFailure", "InvalidParameterException"),
            *(_REQUEST, _MISSING, "ResourceExistsException"),
        )
    )
    def UpdateSecret(self, call: Call) -> Result:  # noqa: N802
        _check_key(call, call.params.get("KmsKeyId"), "EncryptionFailure")
        return stores.ask(call)

    @operation(raises=("DecryptionFailure", "InvalidParameterException", _REQUEST, _MISSING))
    def GetSecretValue(self, call: Call) -> Result:  # noqa: N802
        _check_key(call, _find(call).get("KmsKeyId"), "DecryptionFailure")
        return stores.ask(call)

    @operation(
        raises=("InvalidParameterException", _REQUEST, _MISSING),
        states="of a replica: InProgress → InSync | Failed",
    )
    def ReplicateSecretToRegions(self, call: Call) -> Result:  # noqa: N802
        return self._replicate(call, call.params)

    @operation(raises=("InvalidParameterException", _REQUEST, _MISSING))
    def RemoveRegionsFromReplication(self, call: Call) -> Result:  # noqa: N802
        secret, gone = _find(call), set(call.params["RemoveReplicaRegions"])
        known = {one["Region"] for one in secret.get("ReplicationStatus", [])}
        if unknown := gone - known:
            message = f"The secret is not replicated to {', '.join(sorted(unknown))}."
            raise Fault("InvalidParameterException", message)
        for region in gone:
            _secrets().pop_scoped(call.account, region, secret["Name"], None)
        kept = [one for one in secret["ReplicationStatus"] if one["Region"] not in gone]
        secret["ReplicationStatus"] = kept
        return {"ARN": secret["ARN"], "ReplicationStatus": _statuses(secret)}

    @operation(raises=(_MISSING,))
    def DescribeSecret(self, call: Call) -> Result:  # noqa: N802
        secret, answer = _find(call), stores.ask(call)
        statuses = _statuses(secret)
        primary = secret.get("_PrimaryRegion") or (call.region if statuses else None)
        told = {"ReplicationStatus": statuses} if statuses else {}
        kept = {name: value for name, value in answer.items() if name != "ReplicationStatus"}
        return kept | told | ({"PrimaryRegion": primary} if primary else {})

    @operation(raises=("InvalidParameterException", _REQUEST, _MISSING))
    def DeleteSecret(self, call: Call) -> Result:  # noqa: N802
        if _find(call).get("ReplicationStatus"):
            message = (
                "You can't delete a primary secret that is replicated to other Regions. You must "
                "first delete the replicas using RemoveRegionsFromReplication."
            )
            raise Fault(_REQUEST, message)
        answer = stores.ask(call)
        if not call.params.get("ForceDeleteWithoutRecovery"):
            days = call.params.get("RecoveryWindowInDays", _WINDOW)
            about = {"account": call.account, "place": call.region, "arn": answer["ARN"]}
            self.world.timers.after(days * _DAY, PURGE, **about)
        return answer

    def _replicate(self, call: Call, params: Record) -> Result:
        asked = replace(call, operation="ReplicateSecretToRegions", params=params)
        secret = _find(asked)
        known = {one["Region"] for one in secret.get("ReplicationStatus", [])}
        wanted = {one["Region"]: one for one in params["AddReplicaRegions"]}
        failed = {
            region: one | {"Status": _FAILED, "StatusMessage": why}
            for region, one in wanted.items()
            if (why := self._obstacle(secret, one, force=params.get("ForceOverwriteReplicaSecret")))
        }
        possible = [one for region, one in wanted.items() if region not in failed]
        stores.ask(asked, params | {"AddReplicaRegions": possible})
        rest = [one for one in secret["ReplicationStatus"] if one["Region"] not in failed]
        secret["ReplicationStatus"] = rest + list(failed.values())
        self._synchronise(secret)
        for one in rest:
            if one["Status"] != _IN_SYNC["Status"] and one["Region"] not in known:
                # ministack has copied it already
                _secrets().pop_scoped(call.account, one["Region"], secret["Name"], None)
        return {"ARN": secret["ARN"], "ReplicationStatus": _statuses(secret)}

    def _obstacle(self, secret: Record, wanted: Record, *, force: bool | None) -> str | None:
        """Why a Region gets no replica, as its status tells."""
        _, _, _, home, account, *_ = secret["ARN"].split(":")
        region = wanted["Region"]
        if region == home or stores.apart(self.world, home, region):
            return None  # it is refused, or follows later
        if not secrets_keys.is_usable(account, region, wanted.get("KmsKeyId")):
            return f"Replication failed: the KMS key {wanted['KmsKeyId']} cannot be used"
        there = _secrets().get_scoped(account, region, secret["Name"])
        if there and there["ARN"].rpartition(":")[2] != secret["ARN"].rpartition(":")[2]:
            return None if force else "Secret with this name already exists in this region"
        return None

    def _synchronise(self, secret: Record) -> None:
        """Copy a secret to the replicas that can be reached; the others follow later."""
        home, reached = secret["ARN"].split(":")[3], []
        for one in secret.get("ReplicationStatus", []):
            if one["Status"] == _FAILED:  # until somebody asks for it again
                continue
            if stores.apart(self.world, home, one["Region"]):
                one |= {"Status": "InProgress", "StatusMessage": "Replication in progress"}
                self._later(secret)
            else:
                one |= _IN_SYNC
                reached.append(one)
        self._copy(secret | {"ReplicationStatus": reached})

    def _later(self, secret: Record) -> None:
        _, _, _, region, account, *_ = secret["ARN"].split(":")
        self.world.timers.every(
            _RETRY, FOLLOW, account=account, place=region, secret=secret["Name"]
        )

    def _follow(self, account: str, place: str, secret: str) -> None:
        found: Record | None = _secrets().get_scoped(account, place, secret)
        if found is None:
            return
        for one in found.get("ReplicationStatus", []):
            region = one["Region"]
            absent = _secrets().get_scoped(account, region, secret) is None
            if not absent or stores.apart(self.world, place, region):
                continue
            key = one.get("KmsKeyId")
            if not secrets_keys.is_usable(account, region, key):
                why = f"Replication failed: the KMS key {key} cannot be used"
                one |= {"Status": _FAILED, "StatusMessage": why}
                continue
            head, _, tail = found["ARN"].partition(f":{place}:")
            replica = {"ARN": f"{head}:{region}:{tail}", "KmsKeyId": key}
            _secrets().set_scoped(account, region, secret, replica)
        self._synchronise(found)

    def _purge(self, account: str, place: str, arn: str) -> None:
        """The end of a deleted secret's recovery window, unless it was restored meanwhile."""
        with ministack.scope(account, place):
            module = ministack.service("secretsmanager")
            key, secret = module._resolve(arn)
            if secret is not None and 0 < (secret.get("DeletedDate") or 0) <= self.world.now():
                module._purge_secret(key, secret)


def _check_key(call: Call, key: str | None, code: str) -> None:
    if not secrets_keys.is_usable(call.account, call.region, key):
        words = {"EncryptionFailure": "encrypt", "DecryptionFailure": "decrypt"}
        message = (
            f"Secrets Manager can't {words[code]} the protected secret text using the provided KMS "
            "key. Check that the KMS key is available, enabled, and not in an invalid state."
        )
        raise Fault(code, message)


def _secrets() -> Any:
    return ministack.service("secretsmanager")._secrets


def _find(call: Call) -> Record:
    _, secret = ministack.service("secretsmanager")._resolve(call.params["SecretId"])
    if secret is None:
        raise Fault(_MISSING, "Secrets Manager can't find the specified secret.")
    record: Record = secret
    return record


def _statuses(secret: Record) -> list[Record]:
    """Where a secret is replicated to; CloudFormation has ministack say so in words of its own."""
    found = [dict(one) for one in secret.get("ReplicationStatus", [])]
    synced = _IN_SYNC["Status"]
    return [one | _IN_SYNC if one["Status"] == synced else one for one in found]
