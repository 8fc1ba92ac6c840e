"""The databases: born and rebuilt without a failover ever being undone by a template."""

from typing import Any

import pytest

from platform_pipelines.model import Born, Member, Platform
from tests.cfn import templates
from tests.cfn.templates import PLATFORM, in_stack

each_region = pytest.mark.parametrize("alias", ["seoul", "tokyo"])
CREDENTIALS = {"MasterUsername", "MasterUserPassword"}


def _database(alias: str, platform: Platform = PLATFORM) -> dict[str, Any]:
    return templates.resources(alias, "database", platform)


def test_the_global_cluster_is_born_empty() -> None:
    """Its source is create-only and reads back as the writer of the day."""
    (found,) = in_stack("AWS::RDS::GlobalCluster", "global_database")
    assert "SourceDBClusterIdentifier" not in found


def test_only_the_first_born_db_cluster_has_credentials() -> None:
    """Home refers to the secret; the other cluster joins and takes none."""
    home, other = in_stack("AWS::RDS::DBCluster", "database")
    assert home["MasterUserPassword"] == (
        "{{resolve:secretsmanager:peccy-peccy-admin:SecretString:password}}"
    )
    assert not other.keys() & CREDENTIALS
    for cluster in (home, other):
        assert cluster["GlobalClusterIdentifier"] == "peccy-peccy"
        assert cluster["KmsKeyId"] == {"Ref": "Key"}


def test_instances_are_counted_by_region_and_spread_over_its_zones() -> None:
    """At least two a Region, each in a zone of its own."""
    zones = [one["AvailabilityZone"] for one in in_stack("AWS::RDS::DBInstance", "database")]
    assert zones == [
        *("ap-northeast-2a", "ap-northeast-2b", "ap-northeast-2c"),
        *("ap-northeast-1a", "ap-northeast-1c"),
    ]


def _rebuilt() -> Platform:
    """Tokyo was promoted by hand, and home's cluster was built again as one that joins."""
    return PLATFORM.rebuilt(
        {
            ("peccy", "seoul"): Member(generation=2, born=Born.JOINED),
            ("peccy", "tokyo"): Member(generation=1, born=Born.FIRST),
        }
    )


def test_a_rebuilt_cluster_joins_under_a_name_of_its_own() -> None:
    """Its logical ids differ too, so CloudFormation makes it beside the old one, and keeps that."""
    resources = _database("seoul", _rebuilt())
    cluster = resources["ClusterPeccyG2"]["Properties"]
    assert cluster["DBClusterIdentifier"] == "peccy-peccy-seoul-g2"
    assert not cluster.keys() & CREDENTIALS
    assert "ClusterPeccy" not in resources
    titles = {title for title in resources if title.startswith("Instance") and "G2" in title}
    assert titles == {"InstancePeccyG21", "InstancePeccyG22", "InstancePeccyG23"}
    for title in titles:
        instance = resources[title]["Properties"]
        assert instance["DBClusterIdentifier"] == {"Ref": "ClusterPeccyG2"}
        assert instance["DBInstanceIdentifier"].startswith("peccy-peccy-seoul-g2-")


def test_the_cluster_that_was_not_rebuilt_stays_as_it_is() -> None:
    """A credential is create-only: nothing of it changes when the other one is built again."""
    before, after = _database("tokyo"), _database("tokyo", _rebuilt())
    assert before.keys() == after.keys()
    for title in before:
        old, new = before[title]["Properties"], after[title]["Properties"]
        assert {key: new[key] for key in new.keys() - CREDENTIALS} == {
            key: old[key] for key in old.keys() - CREDENTIALS
        }


def test_the_output_of_a_rebuilt_cluster_keeps_its_key() -> None:
    """Other stacks ask for the database, not for a generation of it."""
    unit = next(unit for unit in templates.UNITS if unit.key == ("seoul", "database"))
    outputs = templates.template(unit, _rebuilt())["Outputs"]
    assert outputs == {"ClusterPeccy": {"Value": {"Ref": "ClusterPeccyG2"}}}


@each_region
def test_both_members_have_the_same_settings(alias: str) -> None:
    """A promoted member must behave as the one that it replaces: TLS, audit, slow statements."""
    resources = _database(alias)
    assert resources["Settings"]["Properties"]["Parameters"] == {
        "require_secure_transport": "ON",
        "server_audit_logging": "1",
        "server_audit_events": "CONNECT,QUERY_DCL,QUERY_DDL",
    }
    assert resources["InstanceSettings"]["Properties"]["Parameters"]["slow_query_log"] == "1"
    cluster = resources["ClusterPeccy"]["Properties"]
    assert cluster["DBClusterParameterGroupName"] == {"Ref": "Settings"}
    assert cluster["EnableCloudwatchLogsExports"] == ["audit", "error", "slowquery"]
    assert cluster["BackupRetentionPeriod"] == 7


def test_instances_are_measured_from_inside_and_never_updated_by_themselves() -> None:
    """Enhanced monitoring; and the members' versions must not drift apart."""
    for instance in in_stack("AWS::RDS::DBInstance", "database"):
        assert instance["MonitoringInterval"] == 60
        assert instance["MonitoringRoleArn"] == {"Fn::GetAtt": ["MonitoringRole", "Arn"]}
        assert instance["DBParameterGroupName"] == {"Ref": "InstanceSettings"}
        assert instance["AutoMinorVersionUpgrade"] is False
        assert instance["PubliclyAccessible"] is False
