"""How long a server asks to be left alone, in its words."""

from __future__ import annotations

import re

from emaild.diagnosis.said import LONGEST

SHORTEST, LONGEST_DELAY = 1.0, 86400.0  # seconds

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_NUMBER = r"[0-9]{1,9}(?:\.[0-9]{1,3})?"
_UNIT = r"(?:s(?:ec(?:ond)?s?)?|m(?:in(?:ute)?s?)?|h(?:(?:ou)?rs?)?|d(?:ays?)?)\b\.?"
_PIECE = rf"(?:{_NUMBER}[ -]?|(?:an?|one)[ -]){_UNIT}"
_GAP = "[ :,=(-]{1,3}"
_CUE = (
    r"\b(?:again|retr(?:y|ied|ying)(?:[ -]after)?|back|wait(?:ing)?|re-?send|re-?connect(?:ing)?|later|at least"
    r"|gr[ea]y-?list(?:ed|ing)?|delay(?:ed)?|deferred|throttled|blocked|backoff)"
)
_BETWEEN = r"(?:in|after|for|at least|about|approximately|another|a minimum of|the next|is|more than)"
ASKED = re.compile(
    rf"{_CUE}(?:{_GAP}{_BETWEEN}){{0,4}}{_GAP}(?:"
    rf"(?P<clock>[0-9]{{1,3}}(?::[0-9]{{2}}){{1,2}})(?![0-9:])"
    rf"|(?P<iso>P(?:[0-9]{{1,3}}D)?T?(?:[0-9]{{1,5}}[HMS]){{0,3}})(?![0-9A-Z])"
    rf"|(?P<human>{_PIECE}(?:(?:,| and)? ?{_PIECE}){{0,3}})"
    rf"|(?P<bare>[0-9]{{1,6}})(?= *(?:$|[;,)\]]|\.(?![0-9])))"
    rf")",
    re.IGNORECASE,
)
_ONE = re.compile(rf"(?:({_NUMBER})[ -]?|\b(?:an?|one)[ -])([smhd])", re.IGNORECASE)
_ISO = re.compile(r"([0-9]+)([DHMS])", re.IGNORECASE)


def asked_delay(code: str, text: str) -> float | None:
    """The seconds, from one to a day, that a server asks to wait for before it is asked again; None: it names none.

    `try again in 5 minutes`, `Greylisted for 00:04:59`, `retry after PT5M`, `Retry-After: 300`. Only replies that
    say "not now" (4yz, RFC 5321 §4.2.1; of HTTP 429 and 503) ask for anything. A number alone is seconds.
    """
    if code[:1] not in ("", "4") and code != "503":
        return None
    found = ASKED.search(" ".join(text[:LONGEST].split()))
    if found is None:
        return None
    seconds = _seconds(found)
    return None if seconds is None else min(max(seconds, SHORTEST), LONGEST_DELAY)


def _seconds(found: re.Match[str]) -> float | None:
    if found["clock"]:
        total = 0
        for part in found["clock"].split(":"):
            total = total * 60 + int(part)
        return float(total)
    if found["iso"]:
        pieces = _ISO.findall(found["iso"])
    elif found["human"]:
        pieces = _ONE.findall(found["human"])
    else:
        return float(found["bare"])
    if not pieces:
        return None
    return sum(UNITS[unit.lower()] * float(number or 1) for number, unit in pieces)
