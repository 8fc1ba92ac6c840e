"""How kubectl's tables tell an age: 45s, 3m12s, 5h, 12d."""

from datetime import datetime

from platform_pipelines.local.kube.objects import parse_timestamp

UNKNOWN = "<unknown>"


def since(text: str | None, now: datetime) -> str:
    """The age of something that happened at `text`."""
    if not text:
        return UNKNOWN
    return human(int((now - parse_timestamp(text)).total_seconds()))


def human(seconds: int) -> str:
    """A duration with the two units that matter."""
    seconds = max(0, seconds)
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return _two(minutes, "m", seconds % 60, "s")
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if days < 2:
        return f"{hours}h"
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    return f"{days}d" if days < 730 else _two(days // 365, "y", days % 365, "d")


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}" + (f"{small}{small_unit}" if small else "")
