"""Stack `entries` (each): which of Dagster's roles enter the Region's cluster: those of both Regions.

A Region's controllers look into both clusters, and a failover stops the pods of the old side. EKS
takes an entry only for a role that exists, so this comes after stack `access` of both Regions. Each
role is a group that `manifests/argocd/base/access.yaml` gives rights to: AWS has no access policy
that sees nodes and applications and does not show every Secret.
https://docs.aws.amazon.com/eks/latest/userguide/creating-access-entries.html
"""

from troposphere import Parameter, Ref, Template
from troposphere.eks import AccessEntry

from cfn.duties import NAMESPACE, Role, group
from cfn.names import logical
from platform_pipelines.model import Platform, Region

# Those whose work takes them into a cluster; a heartbeat only writes into the ledger.
ENTERS = (Role.READINESS, Role.APPLY, Role.FAILOVER)
PEER = "peer"  # in the logical ids of the other Region's


def build(platform: Platform, region: Region) -> Template:
    """Entries into the Region's cluster, for the controllers of both Regions."""
    template = Template(Description=f"{platform.platform}: who enters {region.name}'s cluster")
    template.add_parameter(Parameter("Cluster", Type="String"))
    for role in ENTERS:
        template.add_resource(_entry(platform, region, role))
        template.add_resource(_entry(platform, platform.other(region.alias), role, PEER))
    return template


def _entry(platform: Platform, place: Region, role: Role, *words: str) -> AccessEntry:
    """Of the controllers that run in `place`; by name, because the other Region may be dark."""
    return AccessEntry(
        logical("entry", NAMESPACE, role, *words),
        ClusterName=Ref("Cluster"),
        PrincipalArn=f"arn:aws:iam::{platform.account}:role/{platform.role_name(role, place)}",
        KubernetesGroups=[group(role)],
    )
