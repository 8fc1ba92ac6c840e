"""Stack `ledger` (once): the table of roles, leases, heartbeats and incidents.

Strong consistency over two Regions and a witness: a write needs two of the three, so a Region that
is cut off can change nothing.
"""

from troposphere import Template
from troposphere.dynamodb import (
    AttributeDefinition,
    GlobalTable,
    GlobalTableWitness,
    KeySchema,
    PointInTimeRecoverySpecification,
    ReplicaSpecification,
)

from cfn.names import KEPT
from platform_pipelines.model import Platform, Region


def build(platform: Platform, region: Region) -> Template:
    """The ledger's table, created from `region` with a replica in each Region."""
    template = Template(Description=f"{platform.platform}: the ledger")
    template.add_resource(
        GlobalTable(
            "Ledger",
            TableName=platform.ledger_table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                AttributeDefinition(AttributeName=key, AttributeType="S") for key in ("pk", "sk")
            ],
            KeySchema=[
                KeySchema(AttributeName="pk", KeyType="HASH"),
                KeySchema(AttributeName="sk", KeyType="RANGE"),
            ],
            MultiRegionConsistency="STRONG",
            Replicas=[_replica(region), _replica(platform.other(region.alias))],
            GlobalTableWitnesses=[GlobalTableWitness(Region=platform.witness)],
            **KEPT,
        )
    )
    return template


def _replica(region: Region) -> ReplicaSpecification:
    return ReplicaSpecification(
        Region=region.name,
        DeletionProtectionEnabled=True,
        PointInTimeRecoverySpecification=PointInTimeRecoverySpecification(
            PointInTimeRecoveryEnabled=True
        ),
    )
