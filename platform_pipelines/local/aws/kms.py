"""KMS: a key whose deletion was scheduled is deleted when its waiting period ends.

ministack leaves it waiting for ever; the rest of it is right, and passed.
https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html
"""

from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.service import Call, Fault, Result, Service, operation

DELETED = "kms.key_deleted"
_DAY = 86400.0
_WINDOW = 30  # days, if the caller says nothing
_INVALID = "KMSInvalidStateException"
_MISSING = "NotFoundException"


class Kms(Service):
    """Keys and aliases."""

    name = "kms"
    passes = frozenset(
        {
            *("CreateKey", "DescribeKey", "ListKeys", "EnableKey", "DisableKey"),
            "UpdateKeyDescription",
            *("CreateAlias", "UpdateAlias", "DeleteAlias", "ListAliases"),
            *("GetKeyPolicy", "PutKeyPolicy", "ListKeyPolicies", "GetKeyRotationStatus"),
            *("Encrypt", "Decrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext"),
            *("TagResource", "UntagResource", "ListResourceTags"),
        }
    )

    def start(self) -> None:
        self.world.timers.on(DELETED, self._deleted)

    @operation(
        raises=(_MISSING, _INVALID, "ValidationException"),
        states="Enabled | Disabled → PendingDeletion → gone",
    )
    def ScheduleKeyDeletion(self, call: Call) -> Result:  # noqa: N802
        record = _find(call)
        if record["KeyState"] == "PendingDeletion":
            raise Fault(_INVALID, f"{record['Arn']} is pending deletion.")
        answer = stores.ask(call)
        days = call.params.get("PendingWindowInDays", _WINDOW)
        about = {"account": call.account, "place": call.region, "key": record["KeyId"]}
        self.world.timers.after(days * _DAY, DELETED, **about)
        return answer | {"PendingWindowInDays": days}

    @operation(raises=(_MISSING, _INVALID), states="PendingDeletion → Disabled")
    def CancelKeyDeletion(self, call: Call) -> Result:  # noqa: N802
        record = _find(call)
        if record["KeyState"] != "PendingDeletion":
            raise Fault(_INVALID, f"{record['Arn']} is not pending deletion.")
        self.world.timers.cancel(DELETED, key=record["KeyId"])
        return stores.ask(call)

    @operation(raises=("DisabledException", _MISSING, _INVALID))
    def EnableKeyRotation(self, call: Call) -> Result:  # noqa: N802
        _check_usable(_find(call))
        return stores.ask(call)

    @operation(raises=("DisabledException", _MISSING, _INVALID))
    def DisableKeyRotation(self, call: Call) -> Result:  # noqa: N802
        _check_usable(_find(call))
        return stores.ask(call)

    def _deleted(self, account: str, place: str, key: str) -> None:
        module = ministack.service("kms")
        with ministack.scope(account, place):
            module._keys.pop(key, None)
            for alias, target in module._aliases.items():
                if target == key:
                    del module._aliases[alias]
                    module._alias_dates.pop(alias, None)


def _find(call: Call) -> dict[str, Any]:
    record: dict[str, Any] | None = ministack.service("kms")._resolve_key(call.params["KeyId"])
    if record is None:
        raise Fault(_MISSING, f"Key '{call.params['KeyId']}' does not exist")
    return record


def _check_usable(record: dict[str, Any]) -> None:
    if record["KeyState"] == "PendingDeletion":
        raise Fault(_INVALID, f"{record['Arn']} is pending deletion.")
    if record["KeyState"] == "Disabled":
        raise Fault("DisabledException", f"{record['Arn']} is disabled.")
