"""Numbers as Java's `java.text.DecimalFormat` writes them, with the difference that Genesys documents."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal

from emaild.render.field_codes.faults import Wrong
from emaild.render.field_codes.locales import NumberSigns
from emaild.render.field_codes.values import finite

QUOTED = r"'(?:[^']|'')*+'"
AFFIX = rf"(?:{QUOTED}|[^0#,.;'])*+"
PATTERN = re.compile(
    rf"(?P<prefix>{AFFIX})"
    r"(?P<whole>[#,]*+[0,]*+)(?P<point>\.(?P<fraction>0*+#*+))?(?P<exponent>E0++)?"
    rf"(?P<suffix>{AFFIX})"
    rf"(?:;(?:(?P<less>{AFFIX})[#0,.]++(?:E0++)?(?P<more>{AFFIX}))?)?"
)
SPECIAL = re.compile(rf"({QUOTED})|(¤¤?)|([-%‰])")
ENOUGH = Context(prec=1_400, rounding=ROUND_HALF_EVEN)  # a float's 309 digits, and a pattern's longest fraction
FACTORS = {"%": 100, "‰": 1_000}


@dataclass(frozen=True)
class DecimalFormat:
    """A pattern taken apart.

    `less` and `more` are the prefix and suffix of numbers below zero; `whole` and `exponent` count the digits that are
    written at least, `fraction` those after the point, `group` those between group signs (0 for none). `point` asks for
    the decimal sign also without digits after it.
    """

    prefix: str
    suffix: str
    less: str
    more: str
    whole: int
    group: int
    fraction: int
    point: bool
    exponent: int
    factor: int

    def format(self, number: float, signs: NumberSigns) -> str:
        """The number's text; a half is rounded to the even neighbour, and zero has no sign.

        Raises:
            Wrong: the number times 100 or 1,000 is too large.
        """
        size = finite(abs(number) * self.factor)
        power = Decimal(size).adjusted() - self.whole + 1 if self.exponent and size else 0
        rounded = self._rounded(size, power)
        if self.exponent and len(str(int(rounded))) > self.whole:  # 9.99 became 10.0
            power += 1
            rounded = self._rounded(size, power)
        digits = self._digits(rounded, signs)
        if self.exponent:
            digits += f"E{'-' if power < 0 else ''}{abs(power):0{self.exponent}}"
        if number < 0 and rounded:
            return _affix(self.less, signs) + digits + _affix(self.more, signs)
        return _affix(self.prefix, signs) + digits + _affix(self.suffix, signs)

    def _rounded(self, size: float, power: int) -> Decimal:
        """The size over ten to that power: the digits that a float shows, but what it really holds is rounded."""
        step = Decimal(1).scaleb(-self.fraction)
        shortest = Decimal(repr(size)).scaleb(-power, ENOUGH)
        if shortest.quantize(step, context=ENOUGH) == shortest:
            return shortest.quantize(step, context=ENOUGH)
        return Decimal(size).scaleb(-power, ENOUGH).quantize(step, context=ENOUGH)

    def _digits(self, size: Decimal, signs: NumberSigns) -> str:
        whole, _, fraction = f"{size:f}".partition(".")
        whole = whole.lstrip("0").rjust(self.whole, "0")
        if self.group:
            first = len(whole) % self.group
            parts = [whole[:first], *(whole[at : at + self.group] for at in range(first, len(whole), self.group))]
            whole = signs.group.join(filter(None, parts))
        if not fraction:
            whole = whole or "0"
        return whole + (signs.decimal if self.point else "") + fraction


def decimal_format(pattern: str) -> DecimalFormat:
    """The format for a pattern such as `#,##0.00`, `0%`, `¤#,##0.00;(¤#,##0.00)` or `0.0E0`.

    Java writes 2 by `#.##` as `2`. Genesys's table of operators says that `2 : "#.##"` is 2.00, while its text on
    formats names Java's letters: the example is what can be held, so a `#` after the point is a digit that is always
    written, as a `0` is.

    Raises:
        Wrong: Java refuses the pattern, or it asks for an exponent that is a multiple.
    """
    found = PATTERN.fullmatch(pattern)
    if found is None or not re.search("[0#]", f"{found['whole']}{found['fraction']}"):
        raise _refused(pattern)
    whole, fraction = found["whole"], found["fraction"] or ""
    _, comma, group = whole.rpartition(",")
    if (comma and (not group or found["exponent"])) or ",," in whole:
        raise _refused(pattern)
    if found["exponent"] and ("#" in whole or not whole):
        raise Wrong(f'the pattern "{pattern}" asks for exponents that are multiples; expected only 0 before E')
    prefix, suffix = found["prefix"], found["suffix"]
    less, more = found["less"], found["more"]
    if less is None or (less, more) == (prefix, suffix):
        less, more = f"-{prefix}", suffix
    factors = [FACTORS[sign] for sign in without_quoted(prefix + suffix) if sign in FACTORS]
    if len(factors) > 1:
        raise _refused(pattern)
    return DecimalFormat(
        prefix,
        suffix,
        less,
        more,
        whole=whole.count("0") or int(bool(found["point"] and whole and "0" not in fraction)),
        group=len(group) if comma else 0,
        fraction=len(fraction),
        point=bool(found["point"]),
        exponent=len(found["exponent"] or " ") - 1,
        factor=factors[0] if factors else 1,
    )


def without_quoted(pattern: str) -> str:
    """What of a pattern has a meaning."""
    return re.sub(QUOTED, "", pattern)


def quoted(text: str) -> str:
    """What a text between quotes says; two quotes are one."""
    return text[1:-1].replace("''", "'") or "'"


def _refused(pattern: str) -> Wrong:
    return Wrong(f'"{pattern}" is no pattern for a number; expected one such as #,##0.00')


def _affix(text: str, signs: NumberSigns) -> str:
    """What stands before or after the digits, quotes taken off."""

    def meaning(found: re.Match[str]) -> str:
        if found[2]:
            return signs.symbol if found[2] == "¤" else signs.currency
        if found[3]:
            return signs.minus if found[3] == "-" else found[3]
        return quoted(found[1])

    return SPECIAL.sub(meaning, text)
