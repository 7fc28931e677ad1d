"""How fast dates are written by the patterns of Java's SimpleDateFormat, beside strftime and Babel.

    python -m tests.benchmarks.date_format [--rounds 3] [--json FILE]

`datetime.strftime` is C and knows no locale but the process's; Babel's `format_datetime` is Python, knows them all, and
has patterns much like Java's. Each writes the same moments by a like pattern.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from importlib.metadata import version
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

from emaild.render.simple_date_format import SimpleDateFormat
from tests.benchmarks.figures import Table, command
from tests.benchmarks.in_turns import in_turns

MOMENTS, FEW = 5_000, 50
START = datetime(2024, 3, 5, 8, 9, 33, tzinfo=ZoneInfo("Europe/Paris"))
LIKE = {  # a pattern of ours, and of Babel's: that of strftime
    "yyyy-MM-dd HH:mm:ss": "%Y-%m-%d %H:%M:%S",
    "EEE, d MMM yyyy hh:mm a Z": "%a, %d %b %Y %I:%M %p %z",
}


def measure(rounds: int, *, quick: bool = False) -> list[Table]:
    """The time that a date takes, by each pattern."""
    moments = [START + timedelta(seconds=7 * number) for number in range(FEW if quick else MOMENTS)]
    return [by_pattern(pattern, like, moments, rounds) for pattern, like in LIKE.items()]


def by_pattern(pattern: str, like: str, moments: list[datetime], rounds: int) -> Table:
    form = SimpleDateFormat(pattern, "en_US")

    def close() -> None:
        minute = -1
        for when in moments:
            if when.minute != minute:
                minute, written = when.minute, form.minute(when)
            written(when.second)

    works: dict[str, Callable[[], object]] = {
        "strftime": lambda: [when.strftime(like) for when in moments],
        "Babel": lambda: [format_datetime(when, pattern, locale="en_US") for when in moments],
        "emaild": lambda: [form.format(when) for when in moments],
        "emaild, minute by minute": close,
        "emaild, the pattern read each time": lambda: [
            SimpleDateFormat(pattern, "en_US").format(when) for when in moments[: len(moments) // 10] * 10
        ],
    }
    figures = in_turns(works, rounds, unit="µs", times=1, per_second=1_000_000 / len(moments))
    return Table(
        title=f"Dates by {pattern}",
        about="Moments seven seconds apart, in one zone and locale; the time is that of one.",
        figures=tuple(figures),
        programs=(f"Babel {version('babel')}",),
    )


def main() -> None:
    command(__doc__, measure)


if __name__ == "__main__":
    main()
