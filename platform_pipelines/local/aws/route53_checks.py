"""Route 53's health checks as its API has them: made, changed, and asked what the checkers saw.

`health_checks` looks; this is the control plane, which lives in us-east-1 alone.
https://docs.aws.amazon.com/Route53/latest/APIReference/API_CreateHealthCheck.html
"""

import uuid
from collections.abc import Mapping
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws.health_checks import (
    DEFAULT_INTERVAL,
    DEFAULT_THRESHOLD,
    ENDPOINT_TYPES,
    FAST,
    Config,
    HealthChecks,
    Observation,
)
from platform_pipelines.local.aws.service import (
    Call,
    Fault,
    Params,
    Result,
    Service,
    not_implemented,
    operation,
)
from platform_pipelines.local.world import World

# `aws route53 get-checker-ip-ranges`, November 2026.
CHECKERS = (
    "15.177.0.0/18",
    "54.248.220.0/26",
    "54.250.253.192/26",
    "54.251.31.128/26",
    "54.255.254.192/26",
    "107.23.255.0/26",
    "54.243.31.192/26",
    "54.183.255.128/26",
    "54.241.32.64/26",
    "54.244.52.192/26",
    "54.245.168.0/26",
    "54.228.16.0/26",
    "176.34.159.192/26",
    "54.252.79.128/26",
    "54.252.254.192/26",
    "54.232.40.64/26",
    "177.71.207.128/26",
)
# One checker of each of three of AWS's checker Regions tells enough.
CHECKER_SITES = (
    ("ap-northeast-1", "54.248.220.10"),
    ("ap-southeast-1", "54.251.31.140"),
    ("us-west-2", "54.244.52.200"),
)
PAGE = 100
_ABSENT, _INVALID, _NONE = "NotImplemented", "InvalidInput", "NoSuchHealthCheck"
_URL = "https://route53.amazonaws.com/2013-04-01/healthcheck/"
Check = dict[str, Any]


class HealthCheckOperations(Service):
    """The operations on health checks."""

    checks: HealthChecks

    @operation(raises=(_ABSENT, _INVALID, "HealthCheckAlreadyExists"))
    def CreateHealthCheck(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        expect_own_account(self.world, call)
        module = ministack.service("route53")
        reference = call.params["CallerReference"]
        config = _with_defaults(call.params["HealthCheckConfig"])
        _check(config)
        known = module._health_checks.get(module._hc_caller_refs.get(reference))
        if known and known["config"] != config:
            message = f"A health check with the caller reference {reference} has other settings."
            raise Fault("HealthCheckAlreadyExists", message, 409)
        if not known:
            id_ = str(uuid.uuid4())
            known = {"id": id_, "caller_reference": reference, "config": config, "version": 1}
            module._health_checks[id_] = known
            module._hc_caller_refs[reference] = id_
        return {"HealthCheck": _shown(known), "Location": _URL + known["id"]}

    @operation(raises=(_NONE,))
    def GetHealthCheck(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        return {"HealthCheck": _shown(_known(call.params))}

    @operation(raises=(_NONE,))
    def DeleteHealthCheck(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        known, module = _known(call.params), ministack.service("route53")
        del module._health_checks[known["id"]]
        module._hc_caller_refs.pop(known["caller_reference"], None)
        module._tags.pop(("healthcheck", known["id"]), None)
        return {}

    @operation(raises=(_NONE, _ABSENT, _INVALID, "HealthCheckVersionMismatch"))
    def UpdateHealthCheck(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        known, params = _known(call.params), call.params
        if params.get("HealthCheckVersion", known["version"]) != known["version"]:
            message = f"The health check's version is {known['version']}."
            raise Fault("HealthCheckVersionMismatch", message, 409)
        more = {k: v for k, v in params.items() if k not in _NO_SETTINGS}
        reset = params.get("ResetElements", ())
        config = {k: v for k, v in known["config"].items() if k not in reset} | more
        _check(config)
        known["config"] = config
        known["version"] += 1
        return {"HealthCheck": _shown(known)}

    @operation(raises=(_INVALID,))
    def ListHealthChecks(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        marker, size = call.params.get("Marker", ""), call.params.get("MaxItems", str(PAGE))
        if not size.isdecimal() or not int(size):
            raise Fault(_INVALID, f"MaxItems: {size} is not a valid value.")
        every = sorted(ministack.service("route53")._health_checks.values(), key=lambda x: x["id"])
        left = [one for one in every if one["id"] >= marker]
        shown, more = left[: int(size)], left[int(size) :]
        return {
            "HealthChecks": [_shown(one) for one in shown],
            "Marker": marker,
            "IsTruncated": bool(more),
            "MaxItems": size,
        } | ({"NextMarker": more[0]["id"]} if more else {})

    @operation
    def GetHealthCheckCount(self, call: Call) -> Result:  # noqa: N802, ARG002  # AWS's name
        return {"HealthCheckCount": len(ministack.service("route53")._health_checks)}

    @operation(raises=(_NONE, _INVALID))
    def GetHealthCheckStatus(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        """What each checker saw last, if it has looked; not inverted, as with AWS."""
        seen = self._seen(call.params)
        if seen.report is None:
            return {"HealthCheckObservations": []}
        report = {"Status": seen.report, "CheckedTime": seen.at}
        return {"HealthCheckObservations": _observations(report)}

    @operation(raises=(_NONE, _INVALID))
    def GetHealthCheckLastFailureReason(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        """The last failure that each checker saw, if any."""
        seen = self._seen(call.params)
        if seen.failure is None:
            return {"HealthCheckObservations": []}
        report = {"Status": seen.failure, "CheckedTime": seen.failed_at}
        return {"HealthCheckObservations": _observations(report)}

    @operation
    def GetCheckerIpRanges(self, call: Call) -> Result:  # noqa: N802, ARG002  # AWS's name
        """From where the checkers look."""
        return {"CheckerIpRanges": list(CHECKERS)}

    def _seen(self, params: Params) -> Observation:
        seen = self.checks.seen(params["HealthCheckId"])
        if seen is None:
            raise _no_such(params["HealthCheckId"])
        if _known(params)["config"]["Type"] not in ENDPOINT_TYPES:
            raise Fault(_INVALID, "Only checks that monitor an endpoint have a checkers' status.")
        return seen


_NO_SETTINGS = ("HealthCheckId", "HealthCheckVersion", "ResetElements")


def expect_own_account(world: World, call: Call) -> None:
    """Refuse what would never look or answer: the checkers and servers are the platform's account's.
    Raises: Fault."""
    if call.account != world.platform.account:
        other = f"another account than {world.platform.account}"
        raise not_implemented(f"route53 {call.operation} of {other}")


def _known(params: Params) -> Check:
    known: Check | None = ministack.service("route53")._health_checks.get(params["HealthCheckId"])
    if known is None:
        raise _no_such(params["HealthCheckId"])
    return known


def _no_such(id_: str) -> Fault:
    return Fault(_NONE, f"No health check exists with the specified ID {id_}.", 404)


def _with_defaults(config: Config) -> Config:
    flags = {"Inverted": False, "Disabled": False}
    if config["Type"] not in ENDPOINT_TYPES:
        return flags | config
    secure = config["Type"].startswith("HTTPS")
    return (
        flags
        | {
            "Port": 443 if secure else 80,
            "RequestInterval": DEFAULT_INTERVAL,
            "FailureThreshold": DEFAULT_THRESHOLD,
            "MeasureLatency": False,
            "EnableSNI": secure,
        }
        | config
    )


def _check(config: Config) -> None:
    kind = config["Type"]
    problem = None
    if kind == "RECOVERY_CONTROL":
        raise not_implemented("RECOVERY_CONTROL")
    if kind == "CALCULATED":
        known = ministack.service("route53")._health_checks
        gone = [one for one in config.get("ChildHealthChecks", []) if one not in known]
        problem = f"the child health check {gone[0]} does not exist" if gone else None
    elif kind == "CLOUDWATCH_METRIC":
        problem = None if "AlarmIdentifier" in config else "AlarmIdentifier is required"
    elif "IPAddress" not in config and "FullyQualifiedDomainName" not in config:
        problem = "IPAddress or FullyQualifiedDomainName is required"
    elif kind.endswith("STR_MATCH") is not ("SearchString" in config):
        problem = "SearchString belongs to checks that match a string, and to them only"
    elif config["RequestInterval"] not in (FAST, DEFAULT_INTERVAL):
        problem = "RequestInterval must be 10 or 30"
    if problem:
        raise Fault(_INVALID, f"Invalid parameter : {problem}")


def _shown(one: Check) -> Check:
    return {
        "Id": one["id"],
        "CallerReference": one["caller_reference"],
        "HealthCheckConfig": one["config"],
        "HealthCheckVersion": one["version"],
    }


def _observations(report: Mapping[str, object]) -> list[dict[str, object]]:
    return [
        {"Region": region, "IPAddress": address, "StatusReport": report}
        for region, address in CHECKER_SITES
    ]
