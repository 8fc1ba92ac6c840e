"""ACM: public certificates that are validated by DNS.

A certificate is issued once the record that proves each of its names is in a hosted zone, and renewed
as long as the records stay there; one that is not validated within three days never will be. The
record of a name is the same for every certificate of an account, so both Regions share it.
https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html
"""

import uuid
from collections.abc import Callable
from typing import Any

from platform_pipelines.local.aws import acm_records as records
from platform_pipelines.local.aws import acm_views as views
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.acm_zones import is_published
from platform_pipelines.local.aws.answers import Record, tag_list, tag_map
from platform_pipelines.local.aws.kept import Keeping
from platform_pipelines.local.aws.service import Call, Fault, Result, operation

NAMED, LOOK, RENEWAL = "acm.records_named", "acm.look", "acm.renewal"
_MISSING, _ARN = "ResourceNotFoundException", "InvalidArnException"
_INVALID = "InvalidParameterException"
_TAGS = (_MISSING, _ARN, _INVALID, "TooManyTagsException")


class Acm(Keeping):
    """Certificates, their validation and their tags."""

    name = "acm"

    def start(self) -> None:
        super().start()
        self.world.timers.on(NAMED, self._named)
        self.world.timers.on(LOOK, self._look)
        self.world.timers.on(RENEWAL, self._renewal)

    def bind(self, answer: Callable[[Call], Result]) -> None:
        self._answer = answer

    @operation(
        raises=(
            *(_INVALID, "InvalidDomainValidationOptionsException", "NotImplemented"),
            "TooManyTagsException",
        ),
        states="PENDING_VALIDATION → ISSUED | VALIDATION_TIMED_OUT | FAILED",
    )
    def RequestCertificate(self, call: Call) -> Result:  # noqa: N802
        known, now = self.records(call), self.world.now()
        record = next((one for one in known.values() if records.is_repeated(one, call, now)), None)
        if record is None:
            arn = f"arn:aws:acm:{call.region}:{call.account}:certificate/{uuid.uuid4()}"
            record = records.make(call, arn, now)
            known[arn] = record
            about = {"account": call.account, "place": call.region, "arn": arn}
            where = {"region": call.region, "resource": arn}
            self.world.transition("acm_validation_record", NAMED, **where, **about)
        return {"CertificateArn": record["CertificateArn"]}

    @operation(raises=(_MISSING, _ARN))
    def DescribeCertificate(self, call: Call) -> Result:  # noqa: N802
        return {"Certificate": views.detail(self._find(call))}

    @operation(raises=("InvalidArgsException", "ValidationException"))
    def ListCertificates(self, call: Call) -> Result:  # noqa: N802
        return views.listed(list(self.records(call).values()), call.params)

    @operation(raises=(_MISSING, _ARN))
    def DeleteCertificate(self, call: Call) -> Result:  # noqa: N802
        del self.records(call)[self._find(call)["CertificateArn"]]
        return {}

    @operation(raises=(_MISSING, _ARN, "InvalidStateException"))
    def UpdateCertificateOptions(self, call: Call) -> Result:  # noqa: N802
        record = self._find(call)
        if record["Status"] != records.ISSUED:
            message = f"Certificate {record['CertificateArn']} is not in the state ISSUED."
            raise Fault("InvalidStateException", message)
        record["Options"] = record["Options"] | call.params["Options"]
        return {}

    @operation(raises=_TAGS)
    def AddTagsToCertificate(self, call: Call) -> Result:  # noqa: N802
        record = self._find(call)
        tags = record["_tags"] | tag_map(call.params["Tags"])
        records.check_tags(tags)
        record["_tags"] = tags
        return {}

    @operation(raises=_TAGS)
    def RemoveTagsFromCertificate(self, call: Call) -> Result:  # noqa: N802
        """A tag with a value goes only if it has that value."""
        record, kept = self._find(call), dict(self._find(call)["_tags"])
        for tag in call.params["Tags"]:
            if tag.get("Value") in (None, kept.get(tag["Key"])):
                kept.pop(tag["Key"], None)
        record["_tags"] = kept
        return {}

    @operation(raises=(_MISSING, _ARN))
    def ListTagsForCertificate(self, call: Call) -> Result:  # noqa: N802
        tags = self._find(call)["_tags"]
        return {"Tags": tag_list(tags)}

    def _find(self, call: Call) -> Record:
        arn = call.params["CertificateArn"]
        head = f"arn:aws:acm:{call.region}:{call.account}:certificate/"
        if not arn.startswith(head):
            raise Fault(_ARN, f"Invalid ARN: {arn}")
        record = self.records(call).get(arn)
        if record is None:
            raise Fault(_MISSING, f"Could not find certificate {arn} in account {call.account}.")
        return record

    # What happens later

    def _named(self, account: str, place: str, arn: str, failed: bool = False) -> None:
        """ACM says which record proves each name."""
        record = self._waiting(NAMED, account, place, arn, failed=failed)
        if record is None:
            return
        if failed:
            record |= {"Status": "FAILED", "FailureReason": "OTHER"}
            return
        record["_named"] = True
        self._later(self.world.durations.acm_validation, LOOK, account, place, arn)

    def _look(self, account: str, place: str, arn: str) -> None:
        """Look for the records of the names that are not proved yet."""
        record = self._waiting(LOOK, account, place, arn)
        if record is None:
            return
        now = self.world.now()
        records.prove(record, {one for one in record["_names"] if self._published(account, one)})
        if records.is_proved(record):
            records.issue(record, now)
            self._later(record["_renew"] - now, RENEWAL, account, place, arn)
        elif now >= record["CreatedAt"] + records.PATIENCE:
            records.time_out(record)
        else:
            self._later(self.world.durations.acm_validation, LOOK, account, place, arn)

    def _renewal(self, account: str, place: str, arn: str) -> None:
        """Renew a certificate while its records are there; try every day until it ends."""
        record = self.records_in(account, place).get(arn)
        if record is None or self._stands_still(RENEWAL, account, place, arn):
            return
        now = self.world.now()
        if all(self._published(account, one) for one in record["_names"]):
            records.issue(record, now, again=True)
        elif now >= record["NotAfter"]:
            record["Status"] = "EXPIRED"
            return
        seconds = max(record["_renew"] - now, min(records.DAY, record["NotAfter"] - now))
        self._later(seconds, RENEWAL, account, place, arn)

    def _published(self, account: str, name: str) -> bool:
        return is_published(self._answer, account, records.proof(account, name))

    def _waiting(self, kind: str, account: str, place: str, arn: str, **more: Any) -> Record | None:
        """A certificate that is not validated yet; None if it is gone, or its Region stands still."""
        record = self.records_in(account, place).get(arn)
        pending = record is not None and record["Status"] == records.PENDING
        if not pending or self._stands_still(kind, account, place, arn, **more):
            return None
        return record

    def _stands_still(self, kind: str, account: str, place: str, arn: str, **more: Any) -> bool:
        about = {"account": account, "place": place, "arn": arn}
        return stores.parked(self.world, place, kind, **about, **more)

    def _later(
        self, seconds: float, kind: str, account: str, place: str, arn: str, **more: Any
    ) -> None:
        self.world.timers.after(seconds, kind, account=account, place=place, arn=arn, **more)
