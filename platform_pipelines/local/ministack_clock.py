"""ministack's time: the world's, instead of the machine's.

ministack asks the modules `time` and `datetime` what time it is, so its modules get stand-ins for
these, which differ only in what is now. Modules that judge signatures and tokens keep real time, as
callers sign with real time. `ministack.use_clock` is what calls this.
"""

import datetime
import sys
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

Now = Callable[[], float]

# Signatures, tokens, certificates; and `app`, which measures how long a request took.
_REAL = frozenset(
    {
        "ministack.app",
        "ministack.core.container_reaper",
        "ministack.core.iam_evaluator",
        "ministack.core.pgproxy",
        "ministack.core.rds_iam",
        "ministack.core.sigv4",
        "ministack.core.tls",
        "ministack.core.x509_utils",
        "ministack.services.rds_iam_plugin",
        "ministack.services.sts",
    }
)
# S3 judges presigned requests by this one, and dates what it keeps by its `time`.
_REAL_NAMES = frozenset({("ministack.services.s3", "_dt")})


class WorldTime:
    """Stands in for the module `time`; what measures or waits in real seconds stays real."""

    def __init__(self, now: Now) -> None:
        self.time = now

    def time_ns(self) -> int:
        return int(self.time() * 1_000_000_000)

    def gmtime(self, seconds: float | None = None) -> time.struct_time:
        return time.gmtime(self.time() if seconds is None else seconds)

    def localtime(self, seconds: float | None = None) -> time.struct_time:
        return time.localtime(self.time() if seconds is None else seconds)

    def strftime(self, form: str, moment: time.struct_time | None = None) -> str:
        return time.strftime(form, self.localtime() if moment is None else moment)

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


class WorldDatetime:
    """Stands in for the class `datetime.datetime`; what it makes are plain datetimes."""

    def __init__(self, now: Now) -> None:
        self._now = now

    def now(self, tz: datetime.tzinfo | None = None) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(self._now(), tz)

    def utcnow(self) -> datetime.datetime:
        return self.now(datetime.UTC).replace(tzinfo=None)

    def today(self) -> datetime.datetime:
        return self.now()

    def __call__(self, *args: Any, **kwargs: Any) -> datetime.datetime:
        return datetime.datetime(*args, **kwargs)  # noqa: DTZ001  # the caller says which zone

    def __instancecheck__(self, value: object) -> bool:
        return isinstance(value, datetime.datetime)

    def __getattr__(self, name: str) -> Any:
        return getattr(datetime.datetime, name)


class WorldDates:
    """Stands in for the module `datetime`."""

    def __init__(self, now: Now) -> None:
        self.datetime = WorldDatetime(now)

    def __getattr__(self, name: str) -> Any:
        return getattr(datetime, name)


class _Source:
    """Whose time it is: the world that was set up last, as ministack's stores are one per process."""

    def __init__(self) -> None:
        self.now: Now = time.time

    def __call__(self) -> float:
        return self.now()


_SOURCE = _Source()
_STAND_INS: dict[int, Any] = {
    id(time): WorldTime(_SOURCE),
    id(time.time): _SOURCE,
    id(datetime): WorldDates(_SOURCE),
    id(datetime.datetime): WorldDatetime(_SOURCE),
}


def follow(now: Now) -> None:
    """Have every ministack module that is loaded go by this time (AWS-like Unix seconds)."""
    _SOURCE.now = now
    for name, module in list(sys.modules.items()):
        if name.startswith("ministack.") and name not in _REAL:
            _replace(name, module)


def _replace(name: str, module: ModuleType) -> None:
    for variable, value in list(vars(module).items()):
        stand_in = _STAND_INS.get(id(value))
        if stand_in is not None and (name, variable) not in _REAL_NAMES:
            setattr(module, variable, stand_in)
