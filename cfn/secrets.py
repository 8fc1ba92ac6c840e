"""Stack `secrets` (each): administrators of databases, made up by AWS and seen by no template.

Each Region has the secret of its own PostgreSQL. Those of the global databases are made in home,
because RDS manages no password for a member of a global cluster. All are copied to the other Region
and encrypted there with that one's key: a promoted database's administrator is known where it is.
"""

from troposphere import Ref, Template
from troposphere.secretsmanager import GenerateSecretString, ReplicaRegion, Secret

from cfn import parameters
from cfn.names import KEPT, control_id, control_secret, database_secret, key_alias, logical
from platform_pipelines.model import Platform, Region

ADMIN = "platform_admin"
LENGTH = 32


def build(platform: Platform, region: Region) -> Template:
    """The Region's secrets; in home those of the global databases too."""
    template = Template(Description=f"{platform.platform}: the secrets in {region.name}")
    parameters.add(template, "Key")
    name, owner = control_secret(platform, region), control_id(platform, region)
    template.add_resource(_secret(platform, region, "Control", name, owner))
    for database in platform.databases if region == platform.home_region else ():
        title = logical("Admin", database.name)
        name, owner = database_secret(platform, database), platform.global_cluster_id(database)
        template.add_resource(_secret(platform, region, title, name, owner))
    return template


def _secret(platform: Platform, region: Region, title: str, name: str, owner: str) -> Secret:
    return Secret(
        title,
        Name=name,
        Description=f"Administrator of {owner}",
        KmsKeyId=Ref("Key"),
        GenerateSecretString=GenerateSecretString(
            SecretStringTemplate=f'{{"username":"{ADMIN}"}}',
            GenerateStringKey="password",
            PasswordLength=LENGTH,
            ExcludePunctuation=True,
        ),
        ReplicaRegions=[
            ReplicaRegion(Region=platform.other(region.alias).name, KmsKeyId=key_alias(platform))
        ],
        **KEPT,
    )
