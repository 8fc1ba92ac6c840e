"""When a CronJob is due: the five fields of cron, and the names for the usual ones.

As robfig/cron reads them, which Kubernetes uses: with a restriction of both, the day of the month or
of the week is enough.
https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

NAMED = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_HORIZON = timedelta(days=366 * 5)  # as 29 February; what is not due until then never is


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The moments at which something is due."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]  # Sunday is 0
    either_day: bool  # the day of the month or of the week is enough
    zone: tzinfo

    def after(self, moment: datetime) -> datetime | None:
        """The first moment later than this one; None if there is none within years."""
        start = moment.astimezone(self.zone)
        for day in self._days(start):
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    at = day.replace(hour=hour, minute=minute)
                    if at > start and _exists(at):
                        return at
        return None

    def latest(self, since: datetime, until: datetime) -> datetime | None:
        """The last moment after `since` and not after `until`."""
        found, next_ = None, self.after(since)
        while next_ is not None and next_ <= until:
            found, next_ = next_, self.after(next_)
        return found

    def _days(self, start: datetime) -> Iterator[datetime]:
        day = start.replace(hour=0, minute=0, second=0, microsecond=0)
        while day < start + _HORIZON:
            if day.month in self.months and self._takes(day):
                yield day
            day = (day + timedelta(days=1)).replace(hour=0)

    def _takes(self, day: datetime) -> bool:
        of_month, of_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return of_month or of_week if self.either_day else of_month and of_week


def parse(text: str, zone: tzinfo) -> Schedule:
    """A schedule as a CronJob writes it. Raises: ValueError."""
    fields = NAMED.get(text.strip().lower(), text).split()
    if len(fields) != 5:
        raise ValueError(f"expected exactly 5 fields, found {len(fields)}: {text}")
    minutes, hours, days, months, weekdays = fields
    return Schedule(
        minutes=_field(minutes, 0, 59),
        hours=_field(hours, 0, 23),
        days=_field(days, 1, 31),
        months=_field(months, 1, 12, _MONTHS, 1),
        weekdays=frozenset(day % 7 for day in _field(weekdays, 0, 7, _DAYS)),
        either_day=days[0] not in "*?" and weekdays[0] not in "*?",
        zone=zone,
    )


def _field(
    text: str, least: int, most: int, names: tuple[str, ...] = (), first: int = 0
) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        start, _, end = span.partition("-")
        if start in ("*", "?"):
            low, high = least, most if not names or most != 7 else 6
        else:
            low = _number(start, names, first)
            high = _number(end, names, first) if end else (most if step else low)
        pace = int(step) if step else 1
        if not least <= low <= high <= most or pace < 1:
            raise ValueError(f"{part!r} is not within {least} and {most}")
        found.update(range(low, high + 1, pace))
    return frozenset(found)


def _number(text: str, names: tuple[str, ...], first: int) -> int:
    return names.index(text.lower()) + first if text.lower() in names else int(text)


def _exists(at: datetime) -> bool:
    """Whether a clock on the wall shows it: not in the hour that a zone leaves out in spring."""
    back = datetime.fromtimestamp(at.timestamp(), at.tzinfo)
    return (back.hour, back.minute) == (at.hour, at.minute)
