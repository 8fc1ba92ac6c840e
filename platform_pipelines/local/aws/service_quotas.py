"""Service Quotas: what the account may have, and requests to have more.

The values are `world.quotas`; a request is granted after a while, or denied by a fault.
https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/Welcome.html
"""

import uuid
from collections.abc import Sequence
from typing import Any

from platform_pipelines.local.aws.answers import moment, shown
from platform_pipelines.local.aws.paging import paged
from platform_pipelines.local.aws.service import Call, Fault, Result, Service, operation
from platform_pipelines.local.quotas import QUOTAS, SERVICES, Quota, find

DECIDED = "service_quotas_decided"
OPEN, GRANTED, DENIED = "PENDING", "APPROVED", "DENIED"
PAGE = 100
GLOBAL_REGION = "us-east-1"
_NONE = "NoSuchResourceException"
_TOKEN = "InvalidPaginationTokenException"


class ServiceQuotas(Service):
    """Quotas and the requests to raise them."""

    name = "service-quotas"
    _requests: dict[str, dict[str, Any]]  # by id; see `_request`

    def start(self) -> None:
        self._requests = {}
        self.world.timers.on(DECIDED, self._decided)

    def dump(self) -> Any:
        return {id_: dict(request) for id_, request in self._requests.items()}

    def load(self, state: Any) -> None:
        self._requests = {id_: dict(request) for id_, request in state.items()}

    @operation(raises=(_TOKEN,))
    def ListServices(self, call: Call) -> Result:  # noqa: N802
        rows = [{"ServiceCode": code, "ServiceName": name} for code, name in SERVICES.items()]
        return _page("Services", rows, call)

    @operation(raises=(_NONE, _TOKEN))
    def ListServiceQuotas(self, call: Call) -> Result:  # noqa: N802
        code = call.params.get("QuotaCode")
        rows = [self._row(call, one) for one in _of(call) if code in (None, one.code)]
        return _page("Quotas", rows, call)

    @operation(raises=(_NONE, _TOKEN))
    def ListAWSDefaultServiceQuotas(self, call: Call) -> Result:  # noqa: N802
        rows = [self._row(call, one, default=True) for one in _of(call)]
        return _page("Quotas", rows, call)

    @operation(raises=(_NONE,))
    def GetServiceQuota(self, call: Call) -> Result:  # noqa: N802
        return {"Quota": self._row(call, _one(call))}

    @operation(raises=(_NONE,))
    def GetAWSDefaultServiceQuota(self, call: Call) -> Result:  # noqa: N802
        return {"Quota": self._row(call, _one(call), default=True)}

    @operation(
        raises=(_NONE, "IllegalArgumentException", "ResourceAlreadyExistsException"),
        states="PENDING → APPROVED | DENIED",
    )
    def RequestServiceQuotaIncrease(self, call: Call) -> Result:  # noqa: N802
        quota, wanted = _one(call), float(call.params["DesiredValue"])
        if wanted <= self.world.quotas.value(call.region, quota.service, quota.code):
            message = "You must provide a quota value greater than the current quota value."
            raise Fault("IllegalArgumentException", message)
        if any(one["Status"] == OPEN for one in self._of_quota(call, quota)):
            message = "Only one open service quota increase request is allowed per quota."
            raise Fault("ResourceAlreadyExistsException", message)
        request = self._request(call, quota, wanted)
        self._requests[request["Id"]] = request
        self.world.transition(
            "quota_increase",
            DECIDED,
            region=call.region,
            resource=f"{quota.service}/{quota.code}",
            id=request["Id"],
        )
        return {"RequestedQuota": _shown(request)}

    @operation(raises=(_NONE,))
    def GetRequestedServiceQuotaChange(self, call: Call) -> Result:  # noqa: N802
        request = self._requests.get(call.params["RequestId"])
        if request is None or not _visible(request, call):
            raise Fault(_NONE, "The specified request does not exist.")
        return {"RequestedQuota": _shown(request)}

    @operation(raises=(_TOKEN,))
    def ListRequestedServiceQuotaChangeHistory(self, call: Call) -> Result:  # noqa: N802
        found = [one for one in self._requests.values() if _visible(one, call)]
        return _history(found, call)

    @operation(raises=(_NONE, _TOKEN))
    def ListRequestedServiceQuotaChangeHistoryByQuota(self, call: Call) -> Result:  # noqa: N802
        return _history(self._of_quota(call, _one(call)), call)

    def _of_quota(self, call: Call, quota: Quota) -> list[dict[str, Any]]:
        wanted = (quota.service, quota.code)
        return [
            one
            for one in self._requests.values()
            if _visible(one, call) and (one["ServiceCode"], one["QuotaCode"]) == wanted
        ]

    def _request(self, call: Call, quota: Quota, wanted: float) -> dict[str, Any]:
        now = self.world.now()
        row = {key: value for key, value in self._row(call, quota).items() if key in _SHARED}
        return row | {
            "Id": uuid.uuid4().hex + uuid.uuid4().hex[:8],
            "DesiredValue": wanted,
            "Status": OPEN,
            "Created": now,
            "LastUpdated": now,
            "Requester": f'{{"accountId":"{call.account}"}}',
            "QuotaRequestedAtLevel": "ACCOUNT",
            "_place": [call.account, call.region],
        }

    def _decided(self, id: str, failed: bool = False) -> None:  # noqa: A002  # the request's id
        request = self._requests.get(id)
        if request is None:
            return
        request |= {"Status": DENIED if failed else GRANTED, "LastUpdated": self.world.now()}
        if not failed:
            region, value = request["_place"][1], request["DesiredValue"]
            self.world.quotas.grant(region, request["ServiceCode"], request["QuotaCode"], value)

    def _row(self, call: Call, quota: Quota, default: bool = False) -> dict[str, Any]:
        applied = self.world.quotas.value(call.region, quota.service, quota.code)
        place = "" if quota.is_global else call.region
        account = "" if default else call.account
        return {
            "ServiceCode": quota.service,
            "ServiceName": SERVICES[quota.service],
            "QuotaArn": f"arn:aws:servicequotas:{place}:{account}:{quota.service}/{quota.code}",
            "QuotaCode": quota.code,
            "QuotaName": quota.name,
            "Value": float(quota.default if default else applied),
            "Unit": "None",
            "Adjustable": quota.adjustable,
            "GlobalQuota": quota.is_global,
            "QuotaAppliedAtLevel": "ACCOUNT",
        }


_SHARED = (
    *("ServiceCode", "ServiceName", "QuotaArn", "QuotaCode", "QuotaName", "Unit", "GlobalQuota"),
)


def _of(call: Call) -> list[Quota]:
    """A service's quotas that this Region knows. Raises: Fault."""
    service = call.params["ServiceCode"]
    found = [one for one in QUOTAS if one.service == service and _there(one, call.region)]
    if not found:
        message = "The request failed because the specified service does not exist."
        raise Fault(_NONE, message)
    return found


def _one(call: Call) -> Quota:
    _of(call)
    quota = find(call.params["ServiceCode"], call.params["QuotaCode"])
    if quota is None or not _there(quota, call.region):
        raise Fault(_NONE, "The request failed because the specified quota does not exist.")
    return quota


def _there(quota: Quota, region: str) -> bool:
    return not quota.is_global or region == GLOBAL_REGION


def _visible(request: dict[str, Any], call: Call) -> bool:
    return bool(request["_place"] == [call.account, call.region])


def _shown(request: dict[str, Any]) -> dict[str, Any]:
    return shown(request) | {key: moment(request[key]) for key in ("Created", "LastUpdated")}


def _history(found: Sequence[dict[str, Any]], call: Call) -> Result:
    service, status = call.params.get("ServiceCode"), call.params.get("Status")
    rows = [
        _shown(one)
        for one in found
        if service in (None, one["ServiceCode"]) and status in (None, one["Status"])
    ]
    return _page("RequestedQuotas", rows, call)


def _page(name: str, rows: Sequence[Any], call: Call) -> Result:
    wrong = Fault(_TOKEN, "Invalid token was used.")
    return paged(name, rows, call.params, wrong=wrong, limit=PAGE)
