"""How long AWS takes, in AWS-like seconds. The local Regions divide by their speed."""

from pydantic import BaseModel, ConfigDict, Field


class Durations(BaseModel):
    """Each transition's length; see docs/local-regions.md."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    efs_access_point_creating: float = Field(5, ge=0, description="creating → available")
    efs_access_point_deleting: float = Field(5, ge=0, description="deleting → gone")
    efs_backup_policy: float = Field(10, ge=0, description="ENABLING → ENABLED, and off again")
    efs_file_system_creating: float = Field(10, ge=0, description="creating → available")
    efs_file_system_deleting: float = Field(10, ge=0, description="deleting → gone")
    efs_file_system_updating: float = Field(20, ge=0, description="updating → available")
    efs_mount_target_creating: float = Field(90, ge=0, description="creating → available")
    efs_mount_target_deleting: float = Field(30, ge=0, description="deleting → gone")
    efs_replication_enabling: float = Field(60, ge=0, description="create → ENABLED, first sync")
    efs_replication_sync: float = Field(60, ge=1, description="between two syncs (a sawtooth)")
    efs_replication_deleting: float = Field(180, ge=0, description="delete → writable")
    aurora_cancelling: float = Field(
        15, ge=0, description="change of writer cancelling → available"
    )
    aurora_detaching: float = Field(60, ge=0, description="member promoting → stands alone")
    aurora_failover: float = Field(90, ge=0, description="failing-over → new writer in a Region")
    aurora_instance_failover: float = Field(
        30, ge=0, description="writer's instance or zone lost → reader of the same Region writes"
    )
    aurora_lag: float = Field(0.4, ge=0, description="replication lag in quiet times, seconds")
    aurora_resync: float = Field(
        600, ge=0, description="old writer's Region back → connected as a secondary"
    )
    aurora_switchover: float = Field(
        30, ge=0, description="switching-over → new writer in a Region"
    )
    aurora_view: float = Field(
        2, ge=0, description="change of a global cluster → seen in its other Regions"
    )
    db_cluster_creating: float = Field(120, ge=0, description="creating → available")
    db_cluster_deleting: float = Field(60, ge=0, description="deleting → gone")
    db_cluster_modifying: float = Field(20, ge=0, description="modifying → available")
    db_cluster_upgrading: float = Field(900, ge=0, description="upgrading → available")
    db_instance_creating: float = Field(300, ge=0, description="creating → available")
    db_instance_deleting: float = Field(180, ge=0, description="deleting → gone")
    db_instance_modifying: float = Field(300, ge=0, description="modifying (class) → available")
    db_instance_rebooting: float = Field(60, ge=0, description="rebooting → available")
    db_snapshot_creating: float = Field(120, ge=0, description="creating or copying → available")
    global_cluster_deleting: float = Field(10, ge=0, description="deleting → gone")
    acm_validation_record: float = Field(
        5, ge=0, description="certificate requested → its validation records are named"
    )
    acm_validation: float = Field(
        60, gt=0, description="between two looks for a certificate's validation records"
    )
    db_instance_failover: float = Field(
        60, ge=0, description="Multi-AZ instance's zone lost → its standby serves"
    )
    vpc_endpoint_creating: float = Field(90, ge=0, description="interface pending → available")
    vpc_endpoint_deleting: float = Field(60, ge=0, description="interface deleting → gone")
    nat_gateway_creating: float = Field(100, ge=0, description="pending → available")
    nat_gateway_deleting: float = Field(50, ge=0, description="deleting → deleted")
    eks_addon_creating: float = Field(30, ge=0, description="CREATING → ACTIVE, with its replicas")
    eks_addon_deleting: float = Field(20, ge=0, description="DELETING → gone")
    eks_addon_update: float = Field(40, ge=0, description="UPDATING → ACTIVE")
    eks_cluster_creating: float = Field(480, ge=0, description="CREATING → ACTIVE")
    eks_cluster_deleting: float = Field(180, ge=0, description="DELETING → gone")
    eks_cluster_update: float = Field(120, ge=0, description="configuration UPDATING → ACTIVE")
    eks_cluster_version_update: float = Field(540, ge=0, description="version UPDATING → ACTIVE")
    eks_nodegroup_creating: float = Field(
        160, ge=0, description="CREATING → ACTIVE, with its nodes"
    )
    eks_nodegroup_deleting: float = Field(120, ge=0, description="DELETING → gone, nodes first")
    nodegroup_version_update: float = Field(
        600, ge=0, description="node group's version changed → update Successful, nodes replaced"
    )
    nodegroup_update: float = Field(20, ge=0, description="node group changed → update Successful")
    nodes_joining: float = Field(150, ge=0, description="scaling accepted → nodes Ready")
    nodes_leaving: float = Field(60, ge=0, description="scaling accepted → nodes gone")
    nodes_replacing: float = Field(
        600, ge=0, description="zone lost → its nodes are replaced elsewhere"
    )
    pod_finishing: float = Field(10, ge=0, description="a Job's pod Ready → Succeeded")
    pod_starting: float = Field(10, ge=0, description="scheduled → Ready")
    pod_stopping: float = Field(
        2, ge=0, description="deletion asked → gone, after its preStop hook"
    )
    ecr_copy: float = Field(30, ge=0, description="push → image in the other Region")
    ecr_image_activating: float = Field(1200, ge=0, description="ACTIVATING → ACTIVE (unarchived)")
    ecr_lifecycle: float = Field(
        86400, ge=60, description="between two looks at lifecycle policies"
    )
    ecr_lifecycle_preview: float = Field(20, ge=0, description="preview IN_PROGRESS → COMPLETE")
    dynamodb_replica: float = Field(
        60, ge=0, description="replica or witness CREATING → ACTIVE, DELETING → gone"
    )
    dynamodb_replication: float = Field(
        0.5, ge=0, description="write → seen by an eventually consistent read in another Region"
    )
    dynamodb_table_creating: float = Field(8, ge=0, description="CREATING → ACTIVE")
    dynamodb_table_deleting: float = Field(8, ge=0, description="DELETING → gone")
    dynamodb_write_in_flight: float = Field(
        0, ge=0, description="a write meets another Region's: ReplicatedWriteConflictException"
    )
    health_check_interval: float = Field(10, gt=0, description="Route 53's fast interval")
    argocd_poll: float = Field(120, gt=0, description="between two reconciliations")
    load_balancer: float = Field(30, ge=0, description="Ingress → load balancer answers")
    quota_increase: float = Field(1800, ge=0, description="PENDING → APPROVED | DENIED")
    route53_change: float = Field(30, ge=0, description="record change PENDING → INSYNC")
    s3_lifecycle: float = Field(
        86400, ge=60, description="between two looks at buckets' lifecycle rules"
    )
    sns_retry: float = Field(20, gt=0, description="between two tries to deliver a message")
    stack_change_set: float = Field(4, ge=0, description="CREATE_IN_PROGRESS → CREATE_COMPLETE")
    stack_drift: float = Field(15, ge=0, description="DETECTION_IN_PROGRESS → DETECTION_COMPLETE")
    stack_resource: float = Field(5, ge=0, description="between two looks at a stack's resource")
    stack_starting: float = Field(2, ge=0, description="accepted → the first resource begins")
