"""Traffic: one object in the non-home Region's bucket says that the non-home Region serves.

Two health checks read it, plain and inverted, so writing it moves DNS to the non-home Region and
deleting it moves DNS home; nothing else can. The move is confirmed as a client sees it: the host,
resolved anew, leads to the target's load balancer and takes a verified write.
"""

from platform_pipelines.aws.dns import Resolver
from platform_pipelines.aws.region import AwsError
from platform_pipelines.failover.steps import service as services
from platform_pipelines.failover.steps.polling import await_
from platform_pipelines.failover.work import StepRecord, Work
from platform_pipelines.model import Service

KEY = "serving"
MOVED_WITHIN = 300.0  # AWS-like seconds: two checks of 10 s, the record's 30 s, and some
LOOK = (
    "Look at the health checks on the traffic object in Route 53, then start region_failover again."
)


def move(work: Work, step: StepRecord) -> None:
    """Move every host to the target, and verify a write through it. Raises: StepFailed, Stopped."""
    work.pass_point_of_no_return()
    home = work.platform.home_region
    bucket = work.platform.traffic_bucket(work.platform.other(home.alias))
    if work.incident.target == home.alias:
        _delete(work, step, bucket)
    else:
        _write(work, step, bucket)
    for service in work.platform.services:
        await_(
            work,
            lambda service=service: _moved(work, service),  # type: ignore[misc]
            within=MOVED_WITHIN,
            what=f"{service.host} in {work.target.alias}",
            next_=LOOK,
        )
        address = await_(
            work,
            lambda service=service: services.answer(work, service.name, service.host),  # type: ignore[misc]
            within=MOVED_WITHIN,
            what=f"A verified answer of {service.host}",
            next_=LOOK,
        )
        now = work.clock.now()
        step.note("host", service.name, host=service.host, address=address, verified_at=now)
        if service.verify and not work.incident.first_write_at:
            work.write(first_write_at=now)


def _write(work: Work, step: StepRecord, bucket: str) -> None:
    body = f"{work.incident.target} serves since incident {work.incident.id}\n".encode()
    step.change(
        "PutObject",
        f"{bucket}/{KEY}",
        lambda: work.target.s3.put_object(
            Bucket=bucket, Key=KEY, Body=body, ContentType="text/plain"
        ),
    )


def _delete(work: Work, step: StepRecord, bucket: str) -> None:
    """Going home: the bucket is in the Region that failed. If it is dark the checks cannot read the
    object either, which means the same; so this must not fail the step."""
    try:
        step.change(
            "DeleteObject",
            f"{bucket}/{KEY}",
            lambda: work.lost.s3.delete_object(Bucket=bucket, Key=KEY),
        )
    except AwsError as error:
        step.note("object", f"{bucket}/{KEY}", left=True, why=str(error))


def _moved(work: Work, service: Service) -> bool | None:
    resolver = Resolver(work.aws.settings, work.platform.domain)
    wanted = resolver.addresses(service.regional_host(work.target.region)).canonical
    return True if resolver.addresses(service.host).canonical == wanted else None
