"""A Region's sign of life: `python -m platform_pipelines.failover.heartbeat --region <alias>`.

Beats into the ledger every 10 s through its own Region's endpoint only, so that an outage silences
it. One small process in each Region; it goes on after any error, because a Region that comes back
must be heard. SIGTERM ends it.
"""

import argparse
import json
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from platform_pipelines import model
from platform_pipelines.aws import settings as environments
from platform_pipelines.aws.region import Aws, Timeouts, Unreachable, WrongAccount
from platform_pipelines.clock import Clock, Stopped
from platform_pipelines.errors import Failed, PlatformError
from platform_pipelines.ledger import Ledger

EVERY = 10.0  # AWS-like seconds
log = logging.getLogger("heartbeat")


def beat_for_ever(ledger: Ledger, alias: str, clock: Clock, stop: threading.Event) -> None:
    """Beat until `stop` is set, once the ledger has roles: before that its table is still being
    made, and DynamoDB makes only an empty one strongly consistent. What keeps it from beating is
    said once, not at every beat."""
    silent = made = False
    while not stop.is_set():
        try:
            made = made or ledger.roles() is not None
            if made:
                ledger.beat(alias)
            if silent:
                log.warning("it beats again")
            silent = False
        except Failed as error:
            if not silent:
                log.warning("no beat: %s", error)
            silent = True
        try:
            clock.sleep(EVERY, stop)
        except Stopped:
            return


def main(arguments: list[str] | None = None) -> int:
    """Run the process; returns its exit status."""
    parser = argparse.ArgumentParser(prog="heartbeat", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--region", required=True, help="alias of the Region that this runs in")
    beside = Path(__file__).resolve().parents[2] / "platform.yaml"  # as the code location reads it
    path = os.environ.get("PLATFORM_FILE", str(beside))
    options = parser.parse_args(arguments)
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    logging.basicConfig(format="%(asctime)s %(name)s %(message)s", stream=sys.stderr)
    try:
        platform = model.load(Path(path))
        alias = platform.region(options.region).alias
        environment = {**os.environ, "PLATFORM_CONTROLLER": alias}
        settings = environments.from_environment(platform, environment)
    except PlatformError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    region = Aws(platform, settings, Timeouts(attempts=1))[alias]
    try:
        region.verify_account(platform.account)
    except WrongAccount as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except Unreachable as error:
        log.warning("%s", error)  # an outage must not end it: it beats when its Region is back
    sys.stdout.write(json.dumps({"beating": alias}) + "\n")
    sys.stdout.flush()
    beat_for_ever(Ledger(region, platform, settings.clock), alias, settings.clock, stop)
    return 0


if __name__ == "__main__":
    sys.exit(main())
