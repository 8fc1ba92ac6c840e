"""The resource type of certificates: CloudFormation itself puts the records that prove the names into
the hosted zones that the template names, and waits until the certificate is issued.

It leaves the records when it deletes the certificate: another one of the same name needs them.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-certificatemanager-certificate.html
"""

from typing import Any

from platform_pipelines.local.aws.cloudformation_types import (
    Condition,
    Existing,
    Look,
    Made,
    Properties,
    ResourceType,
    changed,
    judge,
    parameters,
)
from platform_pipelines.local.aws.service import Fault
from platform_pipelines.local.world import GLOBAL_REGION

_OPTIONS = ("CertificateTransparencyLoggingPreference",)
_OURS = ("DomainValidationOptions", "CertificateExport", *_OPTIONS)
_TTL = 300


class Certificate(ResourceType):
    """AWS::CertificateManager::Certificate: Ref is its ARN."""

    name = "AWS::CertificateManager::Certificate"
    create_only = (
        *("CertificateAuthorityArn", "CertificateExport", "DomainName", "DomainValidationOptions"),
        *("KeyAlgorithm", "SubjectAlternativeNames"),
    )
    reads = frozenset({"DomainName", "KeyAlgorithm", "SubjectAlternativeNames", "Tags", *_OPTIONS})

    def create(self, props: Properties) -> Made:
        rest = {key: value for key, value in props.items() if key not in _OURS}
        options = {name: props[name] for name in _OPTIONS if name in props}
        if "CertificateExport" in props:
            options["Export"] = props["CertificateExport"]
        wanted = rest | ({"Options": options} if options else {})
        params = parameters("acm", "RequestCertificate", wanted)
        return self._made(self.call("acm", "RequestCertificate", params)["CertificateArn"])

    def update(self, one: Existing, new: Properties) -> Made:
        names = changed(one.properties, new)
        if unknown := names - {"Tags", "ValidationMethod", *_OPTIONS}:
            raise Fault("ValidationException", f"{self.name}: {sorted(unknown)} cannot be changed")
        key = {"CertificateArn": one.id}
        if names & {*_OPTIONS}:
            options = {"CertificateTransparencyLoggingPreference": new.get(_OPTIONS[0], "ENABLED")}
            self.call("acm", "UpdateCertificateOptions", key | {"Options": options})
        before, after = one.properties.get("Tags", []), new.get("Tags", [])
        kept = {tag["Key"] for tag in after}
        if gone := [{"Key": tag["Key"]} for tag in before if tag["Key"] not in kept]:
            self.call("acm", "RemoveTagsFromCertificate", key | {"Tags": gone})
        if after and after != before:
            self.call("acm", "AddTagsToCertificate", key | {"Tags": after})
        return self._made(one.id)

    def delete(self, one: Existing) -> None:
        self.call("acm", "DeleteCertificate", {"CertificateArn": one.id})

    def look(self, one: Existing) -> Look:
        key = {"CertificateArn": one.id}
        found = self.call("acm", "DescribeCertificate", key)["Certificate"]
        condition = judge(
            found["Status"],
            ready=("ISSUED",),
            failed=("FAILED", "VALIDATION_TIMED_OUT", "EXPIRED", "REVOKED", "INACTIVE"),
        )
        if condition is Condition.PENDING:
            self._prove(found, one.properties)
        return Look(
            condition=condition,
            reason=f"{one.id} is {found['Status']}",
            made=self._made(one.id),
            actual=self._actual(found, one.properties),
        )

    def _actual(self, found: dict[str, Any], props: Properties) -> Properties:
        tags = self.call(
            "acm", "ListTagsForCertificate", {"CertificateArn": found["CertificateArn"]}
        )
        alternatives = found["SubjectAlternativeNames"]
        if found["DomainName"] not in props.get("SubjectAlternativeNames", []):
            alternatives = [one for one in alternatives if one != found["DomainName"]]
        actual = {name: found[name] for name in ("DomainName", "KeyAlgorithm")}
        actual |= {"SubjectAlternativeNames": alternatives, "Tags": tags["Tags"]}
        return actual | {name: found["Options"][name] for name in _OPTIONS}

    def _prove(self, found: dict[str, Any], props: Properties) -> None:
        """Put the records, once ACM has named them, into the zones that the template names."""
        zones = {
            one["DomainName"].lower(): one["HostedZoneId"]
            for one in props.get("DomainValidationOptions", [])
            if "HostedZoneId" in one
        }
        for validation in found["DomainValidationOptions"]:
            zone, record = zones.get(validation["DomainName"]), validation.get("ResourceRecord")
            if zone and record and not self._is_there(zone, record):
                self._put(zone, record)

    def _is_there(self, zone: str, record: dict[str, str]) -> bool:
        asked = {
            "HostedZoneId": zone,
            "StartRecordName": record["Name"],
            "StartRecordType": record["Type"],
            "MaxItems": "1",
        }
        found = self.call("route53", "ListResourceRecordSets", asked, GLOBAL_REGION)
        return record["Name"] in {one["Name"] for one in found["ResourceRecordSets"]}

    def _put(self, zone: str, record: dict[str, str]) -> None:
        wanted = {
            "Name": record["Name"],
            "Type": record["Type"],
            "TTL": _TTL,
            "ResourceRecords": [{"Value": record["Value"]}],
        }
        changes = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": wanted}]}
        asked = {"HostedZoneId": zone, "ChangeBatch": changes}
        self.call("route53", "ChangeResourceRecordSets", asked, GLOBAL_REGION)

    @staticmethod
    def _made(arn: str) -> Made:
        return Made(id=arn, attributes={"CertificateArn": arn, "Id": arn})
