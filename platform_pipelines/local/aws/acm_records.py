"""The records of ACM's certificates: what is asked for is checked, made, proved and issued.

A record holds times as Unix seconds; `_names` are the domains that have to be proved, `_proved` those
that are. Used by `acm`.
"""

import hashlib
import re
import uuid
from collections.abc import Iterable
from typing import Any

from platform_pipelines.local.aws.answers import Record, tag_map
from platform_pipelines.local.aws.service import Call, Fault, not_implemented

PENDING, ISSUED = "PENDING_VALIDATION", "ISSUED"
DAY = 86400.0
PATIENCE = 3 * DAY  # until a certificate that is not validated never will be
_VALIDITY, _EARLY = 198 * DAY, 45 * DAY  # how long it holds, and how long before it is renewed
_REMEMBERED = 3600.0  # for which an idempotency token stands for the same request
_MOST_NAMES, _MOST_TAGS = 10, 50
_DOMAIN = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_LACKING = ("CertificateAuthorityArn", "ManagedBy")
_INVALID = "InvalidParameterException"


def make(call: Call, arn: str, now: float) -> Record:
    """The record of a new certificate. Raises: Fault, for what ACM would refuse."""
    params = call.params
    method = params.get("ValidationMethod", "EMAIL")
    lacking = [name for name in _LACKING if name in params]
    if lacking or method != "DNS":
        what = lacking or f"validation by {method}"
        raise not_implemented(f"RequestCertificate with {what}")
    names = _names(params)
    if unknown := {one["DomainName"] for one in params.get("DomainValidationOptions", [])} - {
        *names
    }:
        message = f"{sorted(unknown)[0]} is not a name of the certificate."
        raise Fault("InvalidDomainValidationOptionsException", message)
    given = tag_map(params.get("Tags", []))
    check_tags(given)
    options = {"CertificateTransparencyLoggingPreference": "ENABLED", "Export": "DISABLED"}
    return {
        "CertificateArn": arn,
        "DomainName": names[0],
        "SubjectAlternativeNames": names,
        "Status": PENDING,
        "Type": "AMAZON_ISSUED",
        "KeyAlgorithm": params.get("KeyAlgorithm", "RSA_2048"),
        "CreatedAt": now,
        "InUseBy": [],
        "Options": options | params.get("Options", {}),
        "RenewalEligibility": "INELIGIBLE",
        "_names": list(dict.fromkeys(map(base, names))),
        "_proved": [],
        "_named": False,
        "_tags": given,
        "_token": params.get("IdempotencyToken"),
    }


def is_repeated(record: Record, call: Call, now: float) -> bool:
    """Whether a request is the same as the one that made a certificate."""
    wanted = call.params.get("IdempotencyToken")
    if not wanted or wanted != record["_token"] or now >= record["CreatedAt"] + _REMEMBERED:
        return False
    return bool(record["SubjectAlternativeNames"] == _names(call.params))


def base(name: str) -> str:
    """The domain whose record proves a name; a wildcard's is that of what it stands in."""
    return name.removeprefix("*.")


def proof(account: str, name: str) -> dict[str, str]:
    """The record that proves a domain; one for a domain and an account, whatever the Region."""
    mark = hashlib.sha256(f"{account}/{name}".encode()).hexdigest()
    return {
        "Name": f"_{mark[:32]}.{name}.",
        "Type": "CNAME",
        "Value": f"_{mark[32:]}.{mark[8:18]}.acm-validations.aws.",
    }


def prove(record: Record, found: Iterable[str]) -> None:
    """Note the domains whose records were found."""
    record["_proved"] = sorted({*record["_proved"], *found})


def is_proved(record: Record) -> bool:
    """Whether every name is."""
    return set(record["_names"]) <= set(record["_proved"])


def issue(record: Record, now: float, *, again: bool = False) -> None:
    """Issue a certificate, or renew it under the same ARN."""
    record |= {
        "Status": ISSUED,
        "NotBefore": now,
        "NotAfter": now + _VALIDITY,
        "Serial": ":".join(re.findall("..", uuid.uuid4().hex)),
        "Subject": f"CN={record['DomainName']}",
        "Issuer": "Amazon",
        "SignatureAlgorithm": "SHA256WITHRSA",
        "RenewalEligibility": "ELIGIBLE",
        "_renew": now + _VALIDITY - _EARLY,
    }
    if not again:
        record["IssuedAt"] = now


def time_out(record: Record) -> None:
    """Give up on a certificate whose names were not proved in time."""
    record["Status"] = "VALIDATION_TIMED_OUT"


def check_tags(found: dict[str, Any]) -> None:
    """Raises: Fault, for too many."""
    if len(found) > _MOST_TAGS:
        raise Fault("TooManyTagsException", "A certificate can have no more than 50 tags.")


def _names(params: dict[str, Any]) -> list[str]:
    """The domain and its alternatives, once each. Raises: Fault."""
    given = [params["DomainName"], *params.get("SubjectAlternativeNames", [])]
    names = list(dict.fromkeys(one.lower() for one in given))
    for name in names:
        if not _DOMAIN.fullmatch(name):
            message = f"The domain name {name} is not valid: it has to be fully qualified."
            raise Fault(_INVALID, message)
    if len(names) > _MOST_NAMES:
        raise Fault(_INVALID, f"A certificate has {_MOST_NAMES} names at most.")
    return names
