"""How ACM shows its certificates: in detail, and as a page of a list."""

from platform_pipelines.local.aws import acm_records as records
from platform_pipelines.local.aws.answers import Record, moment, shown
from platform_pipelines.local.aws.paging import paged
from platform_pipelines.local.aws.service import Fault, Params, Result

_TIMES = ("CreatedAt", "IssuedAt", "NotBefore", "NotAfter")
_SUMMARY = (
    *("CertificateArn", "DomainName", "Status", "Type", "KeyAlgorithm", "RenewalEligibility"),
    *_TIMES,
)
_DEFAULT_KEYS = frozenset({"RSA_1024", "RSA_2048"})  # what is listed if nobody asks for others
_MOST = 1000


def detail(record: Record) -> Result:
    """As DescribeCertificate has it."""
    account = record["CertificateArn"].split(":")[4]
    validations = [_validation(record, account, one) for one in record["SubjectAlternativeNames"]]
    return shown(record) | _times(record) | {"DomainValidationOptions": validations}


def listed(found: list[Record], params: Params) -> Result:
    """As ListCertificates has them. Raises: Fault."""
    if "SortBy" in params or "SortOrder" in params:
        newest = params.get("SortOrder") == "DESCENDING"
        found = sorted(found, key=lambda one: float(one["CreatedAt"]), reverse=newest)
    chosen = [_summary(one) for one in found if _asked(one, params)]
    names, wrong = (
        ("NextToken", "MaxItems"),
        Fault("InvalidArgsException", "The next token is not valid."),
    )
    return paged("CertificateSummaryList", chosen, params, wrong=wrong, limit=_MOST, names=names)


def _validation(record: Record, account: str, name: str) -> Result:
    proved = records.base(name) in record["_proved"]
    waiting = "PENDING_VALIDATION" if record["Status"] == records.PENDING else "FAILED"
    told = {"ResourceRecord": records.proof(account, records.base(name))}
    return {
        "DomainName": name,
        "ValidationDomain": name,
        "ValidationStatus": "SUCCESS" if proved else waiting,
        "ValidationMethod": "DNS",
        **(told if record["_named"] else {}),
    }


def _asked(record: Record, params: Params) -> bool:
    statuses, includes = params.get("CertificateStatuses"), params.get("Includes", {})
    keys = includes.get("keyTypes") or _DEFAULT_KEYS
    return record["KeyAlgorithm"] in keys and (not statuses or record["Status"] in statuses)


def _summary(record: Record) -> Result:
    names = record["SubjectAlternativeNames"]
    return (
        {key: record[key] for key in _SUMMARY if key in record}
        | _times(record)
        | {
            "SubjectAlternativeNameSummaries": names,
            "HasAdditionalSubjectAlternativeNames": False,
            "InUse": bool(record["InUseBy"]),
            "Exported": False,
            "ExportOption": record["Options"]["Export"],
        }
    )


def _times(record: Record) -> Result:
    return {key: moment(record[key]) for key in _TIMES if key in record}
