"""Secrets Manager: replicas of a secret follow it while their Regions can be reached.

ministack copies whatever is dark, and forgets the replicas that a new secret asks for.
https://docs.aws.amazon.com/secretsmanager/latest/userguide/replicate-secrets.html
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.service import Call, Fault, Result, Service, operation

Record = dict[str, Any]
FOLLOW = "secretsmanager.follow"
_RETRY = 30.0  # AWS-like seconds until a replica that could not be reached is tried again
_MISSING = "ResourceNotFoundException"
_REQUEST = "InvalidRequestException"
_IN_SYNC = {"Status": "InSync", "StatusMessage": "Replication succeeded"}


class SecretsManager(Service):
    """Secrets, their versions, and their replicas."""

    name = "secretsmanager"
    passes = frozenset(
        {
            *("ListSecrets", "UpdateSecret", "RestoreSecret", "GetSecretValue", "PutSecretValue"),
            *("ListSecretVersionIds", "UpdateSecretVersionStage", "GetRandomPassword"),
            *("TagResource", "UntagResource"),
            *("GetResourcePolicy", "PutResourcePolicy", "DeleteResourcePolicy"),
        }
    )

    def start(self) -> None:
        self.world.timers.on(FOLLOW, self._follow)
        module = ministack.service("secretsmanager")
        original = module._sync_replicas
        self._copy: Callable[[Record], None] = getattr(original, "copies", original)

        def synchronise(secret: Record) -> None:
            self._synchronise(secret)

        synchronise.__dict__["copies"] = self._copy
        module.__dict__["_sync_replicas"] = synchronise

    @operation(
        raises=("InvalidParameterException", _REQUEST, "ResourceExistsException"),
        states="of a replica: InProgress → InSync",
    )
    def CreateSecret(self, call: Call) -> Result:  # noqa: N802
        wanted = call.params.get("AddReplicaRegions")
        answer = stores.ask(call)
        if wanted:
            params = {"SecretId": answer["ARN"], "AddReplicaRegions": wanted}
            answer |= self._replicate(call, params)
        return answer

    @operation(
        raises=("InvalidParameterException", _REQUEST, _MISSING),
        states="of a replica: InProgress → InSync",
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
        return stores.ask(call)

    def _replicate(self, call: Call, params: dict[str, Any]) -> Result:
        asked = replace(call, operation="ReplicateSecretToRegions", params=params)
        stores.ask(asked)
        secret = _find(asked)
        self._synchronise(secret)
        for one in secret["ReplicationStatus"]:
            if one["Status"] != _IN_SYNC["Status"]:  # ministack has copied it already
                _secrets().pop_scoped(call.account, one["Region"], secret["Name"], None)
        return {"ARN": secret["ARN"], "ReplicationStatus": _statuses(secret)}

    def _synchronise(self, secret: Record) -> None:
        """Copy a secret to the replicas that can be reached; the others follow later."""
        home, reached = secret["ARN"].split(":")[3], []
        for one in secret.get("ReplicationStatus", []):
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
            if absent and not stores.apart(self.world, place, region):
                head, _, tail = found["ARN"].partition(f":{place}:")
                replica = {"ARN": f"{head}:{region}:{tail}", "KmsKeyId": one.get("KmsKeyId")}
                _secrets().set_scoped(account, region, secret, replica)
        self._synchronise(found)


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
