"""How long AWS takes, in AWS-like seconds. The local Regions divide by their speed."""

from pydantic import BaseModel, ConfigDict, Field


class Durations(BaseModel):
    """Each transition's length; see docs/local-regions.md."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    efs_replication_enabling: float = Field(60, ge=0, description="create → ENABLED, first sync")
    efs_replication_sync: float = Field(60, ge=0, description="between two syncs (a sawtooth)")
    efs_replication_deleting: float = Field(180, ge=0, description="delete → writable")
    aurora_failover: float = Field(90, ge=0, description="failover or switchover → new writer")
    aurora_lag: float = Field(0.4, ge=0, description="replication lag in quiet times, seconds")
    nodegroup_update: float = Field(20, ge=0, description="node group changed → update Successful")
    nodes_joining: float = Field(150, ge=0, description="scaling accepted → nodes Ready")
    nodes_leaving: float = Field(60, ge=0, description="scaling accepted → nodes gone")
    pod_starting: float = Field(10, ge=0, description="scheduled → Ready")
    ecr_copy: float = Field(30, ge=0, description="push → image in the other Region")
    health_check_interval: float = Field(10, gt=0, description="Route 53's fast interval")
    argocd_poll: float = Field(120, gt=0, description="between two reconciliations")
    load_balancer: float = Field(30, ge=0, description="Ingress → load balancer answers")
