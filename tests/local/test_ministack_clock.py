"""ministack goes by the world's time, but for signatures and tokens."""

import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from platform_pipelines import model
from platform_pipelines.local import ministack
from tests.local.test_ministack_state import ask
from tests.local_world import PLATFORM

MOMENT = 1_900_000_000.0  # in March 2030


@pytest.fixture
def moment(tmp_path: Path) -> Iterator[list[float]]:
    """The time that ministack has; a test changes it."""
    ministack.configure(model.load(PLATFORM), tmp_path, port=1)
    now = [MOMENT]
    ministack.use_clock(lambda: now[0])
    yield now
    ministack.use_clock(time.time)


@pytest.mark.parametrize(
    ("service", "operation", "params", "path"),
    [
        ("kms", "CreateKey", {}, ("KeyMetadata", "CreationDate")),
        ("ssm", "PutParameter", {"Name": "/a", "Value": "1", "Type": "String"}, None),
        (
            "iam",
            "CreateOpenIDConnectProvider",
            {"Url": "https://b.example", "ThumbprintList": ["0" * 40]},
            None,
        ),
    ],
)
def test_what_is_made_bears_the_worlds_time(
    moment: list[float],
    service: str,
    operation: str,
    params: dict[str, Any],
    path: tuple[str, str] | None,
) -> None:
    """By `time` and by `datetime`, whatever the module asks."""
    ministack.service(service).reset()
    answer = ask(service, operation, **params)
    if service == "ssm":
        stamp = ask("ssm", "GetParameter", Name="/a")["Parameter"]["LastModifiedDate"]
    elif service == "iam":
        arn = answer["OpenIDConnectProviderArn"]
        stamp = ask("iam", "GetOpenIDConnectProvider", OpenIDConnectProviderArn=arn)["CreateDate"]
    else:
        assert path is not None
        stamp = answer[path[0]][path[1]]
    assert abs(stamp.timestamp() - moment[0]) < 1


def test_time_moves_with_the_world(moment: list[float]) -> None:
    """There is one time, not a copy of it."""
    made = []
    for later in (0.0, 86400.0):
        moment[0] = MOMENT + later
        made.append(ask("kms", "CreateKey")["KeyMetadata"]["CreationDate"])
    assert (made[1] - made[0]).total_seconds() == 86400


def test_a_bucket_is_dated_by_the_world(moment: list[float]) -> None:
    """S3 takes its dates from another module."""
    ministack.service("s3").reset()
    ask("s3", "CreateBucket", Bucket="traffic-1")
    ask("s3", "PutObject", Bucket="traffic-1", Key="serving", Body=b"x")
    stored = ask("s3", "ListObjectsV2", Bucket="traffic-1")["Contents"][0]
    assert stored["LastModified"] == datetime.fromtimestamp(moment[0], UTC)


@pytest.mark.usefixtures("moment")
def test_signatures_and_tokens_stay_on_real_time() -> None:
    """Callers sign with their own clocks."""
    judges = [sys.modules[f"ministack.{name}"] for name in ("services.sts", "core.iam_evaluator")]
    assert [judge.time for judge in judges] == [time, time]
    signed = sys.modules["ministack.core.sigv4"].dt.datetime.now(UTC)
    assert abs(signed.timestamp() - time.time()) < 5


@pytest.mark.usefixtures("moment")
def test_dates_are_still_dates() -> None:
    """What a module makes of the stand-ins is what it would have made of the real ones."""
    stand_in = sys.modules["ministack.services.ssm"].datetime
    assert type(stand_in.now(UTC)) is datetime
    assert isinstance(datetime.now(UTC), stand_in)
    assert stand_in(2030, 1, 1, tzinfo=UTC) == datetime(2030, 1, 1, tzinfo=UTC)
    assert stand_in.utcnow().tzinfo is None
    assert stand_in.fromtimestamp(0, UTC).year == 1970
