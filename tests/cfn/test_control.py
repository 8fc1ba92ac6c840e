"""What each Region's Dagster keeps, and the secrets, keys and certificates that it and others use."""

import re
from typing import Any

import pytest

from tests.cfn import platforms, templates
from tests.cfn.templates import PLATFORM, in_stack

each_region = pytest.mark.parametrize("alias", ["seoul", "tokyo"])
# Secrets Manager ends an ARN so; a name that looks alike cannot be told from an ARN without its end.
AMBIGUOUS = re.compile(r"-[A-Za-z0-9]{6}$")


def _control(alias: str, title: str) -> Any:
    return templates.properties(alias, "control", title)


@each_region
def test_the_postgresql_survives_a_zone_and_a_mistake(alias: str) -> None:
    """In two zones, encrypted, protected, backed up, and closed to the world."""
    database = _control(alias, "Database")
    assert database["Engine"] == "postgres"
    assert database["MultiAZ"] is True
    assert database["StorageEncrypted"] is True
    assert database["KmsKeyId"] == {"Ref": "Key"}
    assert database["DeletionProtection"] is True
    assert database["DeleteAutomatedBackups"] is False
    assert database["BackupRetentionPeriod"] == 7
    assert database["PubliclyAccessible"] is False


@each_region
def test_the_postgresql_is_what_the_platform_file_says(alias: str) -> None:
    """And nobody but its stack changes its version."""
    database = _control(alias, "Database")
    assert (database["EngineVersion"], database["DBInstanceClass"]) == ("17.6", "db.t4g.medium")
    assert database["AllocatedStorage"] == "20"
    assert database["AutoMinorVersionUpgrade"] is False
    settings = _control(alias, "Settings")
    assert (settings["Family"], settings["Parameters"]) == (
        "postgres17",
        {"rds.force_ssl": "1"},
    )


@each_region
def test_the_postgresqls_administrator_is_the_regions_own_secret(alias: str) -> None:
    """Made by stack `secrets`, by a name that both know."""
    name = templates.properties(alias, "secrets", "Control")["Name"]
    password = _control(alias, "Database")["MasterUserPassword"]
    assert password == f"{{{{resolve:secretsmanager:{name}:SecretString:password}}}}"


@each_region
def test_the_postgresql_is_reached_from_the_vpc_only(alias: str) -> None:
    """By its port, over TLS."""
    (rule,) = _control(alias, "Control")["SecurityGroupIngress"]
    assert (rule["FromPort"], rule["ToPort"]) == (5432, 5432)
    assert rule["CidrIp"] == PLATFORM.region(alias).cidr


@each_region
def test_reports_stay_and_logs_go(alias: str) -> None:
    """Older versions can be had back for a month."""
    bucket = _control(alias, "Bucket")
    assert bucket["BucketName"] == PLATFORM.control_bucket(PLATFORM.region(alias))
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    rules = bucket["LifecycleConfiguration"]["Rules"]
    expiring = {rule["Prefix"] for rule in rules if "ExpirationInDays" in rule}
    assert expiring == {"logs/", "templates/"}
    assert any(rule.get("NoncurrentVersionExpiration") for rule in rules)


def test_each_region_makes_its_own_secret_and_home_those_of_the_global_databases() -> None:
    """Home makes them whoever was born first."""
    seoul, tokyo = templates.resources("seoul", "secrets"), templates.resources("tokyo", "secrets")
    assert seoul.keys() == {"Control", "AdminPeccy"}
    assert tokyo.keys() == {"Control"}


def test_secrets_are_copied_and_encrypted_there_with_the_other_regions_key() -> None:
    """After home is lost, its databases' administrators are still known."""
    other = {"seoul": "ap-northeast-1", "tokyo": "ap-northeast-2"}
    for alias, region in other.items():
        for resource in templates.resources(alias, "secrets").values():
            secret = resource["Properties"]
            assert secret["KmsKeyId"] == {"Ref": "Key"}
            assert secret["ReplicaRegions"] == [{"Region": region, "KmsKeyId": "alias/peccy"}]


def test_no_password_is_in_a_template() -> None:
    """Secrets Manager makes them up."""
    for secret in in_stack("AWS::SecretsManager::Secret", "secrets"):
        assert "SecretString" not in secret
        assert secret["GenerateSecretString"]["GenerateStringKey"] == "password"
        assert "password" not in secret["GenerateSecretString"]["SecretStringTemplate"]


def test_no_secrets_name_looks_like_the_end_of_an_arn() -> None:
    """Also where a Region's alias has six characters."""
    regions = [
        PLATFORM.regions[0].model_dump(mode="json"),
        PLATFORM.regions[1].model_dump(mode="json") | {"alias": "kyushu"},
    ]
    databases = [
        PLATFORM.databases[0].model_dump() | {"instances": {"seoul": 3, "kyushu": 2}},
    ]
    platform = platforms.changed(regions=regions, databases=databases)
    for alias in ("seoul", "kyushu"):
        for resource in templates.resources(alias, "secrets", platform).values():
            assert not AMBIGUOUS.search(resource["Properties"]["Name"])


@each_region
def test_alarms_and_pipelines_may_encrypt_what_they_publish(alias: str) -> None:
    """They have no role; every other use of the key is decided by IAM."""
    account, *senders = templates.properties(alias, "keys", "Key")["KeyPolicy"]["Statement"]
    assert account["Principal"] == {"AWS": "arn:aws:iam::111122223333:root"}
    found = {one["Principal"]["Service"]: one for one in senders}
    assert found.keys() == {"cloudwatch.amazonaws.com", "codestar-notifications.amazonaws.com"}
    for one in senders:
        assert one["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]
        assert one["Condition"]


@each_region
def test_a_certificate_carries_both_names_of_a_service_in_its_region(alias: str) -> None:
    """`<host>`, and `<region>.<host>`; validated by records in our own zone."""
    for service in PLATFORM.services:
        title = "Certificate" + "".join(part.capitalize() for part in service.name.split("-"))
        found = templates.properties(alias, "certificates", title)
        names = [found["DomainName"], *found["SubjectAlternativeNames"]]
        assert names == [service.host, f"{alias}.{service.host}"]
        assert found["ValidationMethod"] == "DNS"
        assert found["DomainValidationOptions"] == [
            {"DomainName": name, "HostedZoneId": {"Ref": "Zone"}} for name in names
        ]


@each_region
def test_images_are_immutable_scanned_and_copied_to_the_other_region(alias: str) -> None:
    """A tag never moves; a build pushes once, to either Region."""
    resources = templates.resources(alias, "registry")
    for title in ("RepositoryPeccyWeb", "RepositoryPeccyApp"):
        repository = resources[title]["Properties"]
        assert repository["ImageTagMutability"] == "IMMUTABLE"
        assert repository["ImageScanningConfiguration"] == {"ScanOnPush": True}
        assert '"type":"expire"' in repository["LifecyclePolicy"]["LifecyclePolicyText"]
    configuration = resources["Replication"]["Properties"]["ReplicationConfiguration"]
    (rule,) = configuration["Rules"]
    (destination,) = rule["Destinations"]
    assert destination["Region"] == PLATFORM.other(alias).name
