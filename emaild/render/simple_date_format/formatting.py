"""A pattern and a locale, made ready to write many moments."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import cached_property
from itertools import groupby

from emaild.render.simple_date_format.fields import Writer, writers
from emaild.render.simple_date_format.locales import LONGEST, locale_data
from emaild.render.simple_date_format.moment import OnCalendar, on_calendar
from emaild.render.simple_date_format.pattern import Field, parts

SECONDS = [datetime(2000, 1, 1, second=second, tzinfo=UTC) for second in range(60)]


class SimpleDateFormat:
    """Writes moments as Java 17's `java.text.SimpleDateFormat` does with the names that it has itself.

    *locale* is like `en_US`, `de` or `zh-Hant-TW`; for one that Java does not know its language serves, else none,
    with English names.

    Raises:
        IllegalPattern: Java refuses the pattern.
    """

    def __init__(self, pattern: str, locale: str = "en_US") -> None:
        self._parts, self._data = parts(pattern), locale_data(locale[:LONGEST])
        self._alone = sum(isinstance(part, Field) for part in self._parts) == 1
        self._writers = self._made(self._parts)

    def format(self, when: datetime) -> str:
        """The text for *when*, an aware datetime, in its own zone; the zone's names are found by its key.

        Raises:
            ValueError: *when* has no zone.
        """
        return _text(self._writers, on_calendar(when))

    def minute(self, when: datetime) -> Callable[[int], str]:
        """What writes the moments of the minute in which *when* lies, by their second; quick where many are close.

        Raises:
            ValueError: *when* has no zone.
        """
        at = on_calendar(when)
        if at is not when:  # an old zone's offset can have seconds
            return lambda second: self.format(when.replace(second=second))
        pieces, seconds = self._by_seconds
        texts = [_text(piece, at) for piece in pieces]

        def written(second: int) -> str:
            for place, of_second in seconds.items():
                texts[place] = of_second[second]
            return "".join(texts)

        return written

    @cached_property
    def _by_seconds(self) -> tuple[list[list[Writer]], dict[int, list[str]]]:
        """The pattern in pieces; what those that depend on nothing but the second write, by their place."""
        pieces: list[list[Writer]] = []
        seconds: dict[int, list[str]] = {}
        for of_second, some in groupby(self._parts, lambda part: isinstance(part, Field) and part.letter == "s"):
            pieces.append(self._made(some))
            if of_second:
                seconds[len(pieces) - 1] = [_text(pieces[-1], at) for at in SECONDS]
        return pieces, seconds

    def _made(self, some: Iterable[Field | str]) -> list[Writer]:
        return writers(some, self._data, alone=self._alone)


def _text(made: list[Writer], at: OnCalendar) -> str:
    return "".join([write(at) for write in made])
