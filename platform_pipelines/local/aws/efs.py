"""EFS: all of its operations, over ministack's stores, with the states that AWS goes through.

Each group of operations is a module of its own; this one puts them together. Left out are the tags
operations that AWS deprecated (CreateTags, DescribeTags, DeleteTags).
https://docs.aws.amazon.com/efs/latest/ug/API_Operations.html
"""

from platform_pipelines.local.aws.efs_access_points import AccessPoints
from platform_pipelines.local.aws.efs_mount_targets import MountTargets
from platform_pipelines.local.aws.efs_policies import Policies
from platform_pipelines.local.aws.efs_replications import Replications


class Efs(Replications, MountTargets, AccessPoints, Policies):
    """EFS of one world."""

    name = "efs"
