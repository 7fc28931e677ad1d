"""JSON in and out: what comes in can be stored and given back, or is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from starlette.responses import Response

UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""NUL, which ends a text elsewhere, and halves of characters, which UTF-8 does not have."""
LARGEST = 2**63 - 1
MOST_DIGITS = 19
MOST_VALUES = 100_000  # of a document: each takes a hundred bytes and more, however short its text


class NotJson(ValueError):
    """A body that cannot be taken; the text is for the program."""


def json_bytes(document: object) -> bytes:
    """A document as programs get it: UTF-8 (RFC 8259 §8.1)."""
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "replace")


def answered(document: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """The answer that holds it."""
    return Response(json_bytes(document), status, headers, "application/json")


def parsed(body: bytes) -> object:
    """What JSON in UTF-8 says.

    Raises:
        NotJson: it is none; or a name stands twice in an object, a number has more than 64 bits or is not finite, a
            text holds NUL or half a character; or it has too many values.
    """
    if _values(body) > MOST_VALUES:
        raise NotJson(f"the body has more than {MOST_VALUES} values")
    try:
        document = json.loads(
            body.decode("utf-8"),
            parse_int=_whole,
            parse_float=_broken,
            parse_constant=_no_number,
            object_pairs_hook=_object,
        )
        _check_texts(document)
    except UnicodeDecodeError as error:
        raise NotJson("the body is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise NotJson(f"the body is no JSON: {error.msg} at character {error.pos}") from error
    except RecursionError as error:
        raise NotJson("the body is nested too deeply") from error
    return document


def _values(body: bytes) -> int:
    """About how many there are: counted without making any of them."""
    if _marks(body) <= MOST_VALUES:
        return 0  # even if none of them is in a text
    bare = body.replace(rb"\\", b"").replace(rb"\"", b"")
    if bare.count(b'"') > 4 * MOST_VALUES:
        return MOST_VALUES + 1
    return _marks(b"".join(bare.split(b'"')[::2]))


def _marks(text: bytes) -> int:
    return sum(map(text.count, (b",", b"[", b"{")))


def _whole(digits: str) -> int:
    if len(digits.lstrip("-")) > MOST_DIGITS or not -LARGEST <= int(digits) <= LARGEST:
        raise NotJson("a number has more than 64 bits")
    return int(digits)


def _broken(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise NotJson("a number is too large")
    return number


def _no_number(name: str) -> float:
    raise NotJson(f"{name} is no number in JSON")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotJson("a name stands twice in an object")
    return found


def _check_texts(document: object) -> None:
    waiting = [document]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str) and UNSTORABLE.search(one):
            raise NotJson("a text holds NUL or half a character")
        if isinstance(one, dict):
            waiting.extend(_parts(one))
        elif isinstance(one, list):
            waiting.extend(one)


def _parts(found: dict[str, object]) -> Iterable[object]:
    return (*found.keys(), *found.values())
