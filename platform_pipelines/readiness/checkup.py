"""The checks of one run, each from what the run has read; the assets call these and nothing else.

Every function can be called alone and in any order: `Readings` reads what is missing, once.
"""

from platform_pipelines.ledger_records import Roles
from platform_pipelines.readiness import gitops, images, replication, verdict
from platform_pipelines.readiness.finding import Finding
from platform_pipelines.readiness.gitops import Gitops
from platform_pipelines.readiness.readings import Readings
from platform_pipelines.readiness.replication import Lag, Storage
from platform_pipelines.readiness.verdict import Verdict


def image_parity(readings: Readings) -> list[Finding]:
    """Can each Region pull every image that either names?"""
    found = readings.both(readings.ecr_images)
    return images.parity(readings.platform, found, readings.copy_state, readings.clock.now())


def gitops_parity(readings: Readings) -> list[Finding]:
    """Do both Regions' Argo CDs have the same Applications in the same state?"""
    sides = readings.both(
        lambda alias: Gitops(
            applications=readings.argocd_applications(alias), nodes=readings.node_groups(alias)
        )
    )
    return gitops.parity(readings.platform, known_roles(readings), sides, readings.clock.now())


def lags(readings: Readings) -> list[Lag]:
    """How far is the standby behind?"""
    sides = readings.both(
        lambda alias: Storage(
            file_systems=readings.efs_file_systems(alias), databases=readings.aurora_clusters(alias)
        )
    )
    return replication.lags(readings.platform, known_roles(readings), sides, readings.clock.now())


def judge(readings: Readings) -> Verdict:
    """Would tonight's failover work?"""
    roles, measured = known_roles(readings), lags(readings)
    findings = [
        *verdict.of_roles(readings.roles()),
        *replication.findings(measured),
        *image_parity(readings),
        *gitops_parity(readings),
        *verdict.of_inventories(readings.everything()),
    ]
    return verdict.judge(findings, measured, roles, readings.clock.now())


def known_roles(readings: Readings) -> Roles | None:
    """Who is active, if the ledger can say it."""
    roles = readings.roles()
    return roles if isinstance(roles, Roles) else None
