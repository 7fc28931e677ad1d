"""A pattern and a locale, made ready to write many moments."""

from __future__ import annotations

from datetime import datetime

from emaild.render.simple_date_format.fields import writer
from emaild.render.simple_date_format.locales import locale_data
from emaild.render.simple_date_format.moment import moment
from emaild.render.simple_date_format.pattern import Field, parts


class SimpleDateFormat:
    """Writes moments as Java 17's `java.text.SimpleDateFormat` does with the names that it has itself.

    *locale* is like `en_US`, `de` or `zh-Hant-TW`; for one that Java does not know its language serves, else none,
    with English names.

    Raises:
        IllegalPattern: Java refuses the pattern.
    """

    def __init__(self, pattern: str, locale: str = "en_US") -> None:
        found, data = parts(pattern), locale_data(locale)
        alone = sum(isinstance(part, Field) for part in found) == 1
        self._parts = [part if isinstance(part, str) else writer(part, data, alone=alone) for part in found]

    def format(self, when: datetime) -> str:
        """The text for *when*, an aware datetime, in its own zone; the zone's names are found by its key.

        Raises:
            ValueError: *when* has no zone.
        """
        here = moment(when)
        return "".join([part if isinstance(part, str) else part(here) for part in self._parts])
