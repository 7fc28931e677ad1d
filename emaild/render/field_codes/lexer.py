"""A code cut into tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from emaild.render.field_codes.faults import Wrong
from emaild.render.field_codes.limits import LONGEST_NAME, LONGEST_NUMBER
from emaild.render.field_codes.marks import by_author
from emaild.render.field_codes.values import finite

START, END = "<$", "$>"
TOKEN = re.compile(
    r"""(?P<end>\$>)
    | (?P<start><\$)
    | (?P<number>(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?)
    | (?P<name>[^\W\d]\w*+(?:\s*+\.\s*+\w++)*+)
    | (?P<quote>["“„”])
    | (?P<sign><>|<=|>=|==|!=|[-–−+*/^<>=:(),])""",
    re.VERBOSE,
)
SPACE = re.compile(r"\s*+")
STRINGS = {
    quote: re.compile(rf"((?:[^\\{closing}]++|\\.)*+)[{closing}]", re.DOTALL)
    for quote, closing in {'"': '"', "“": "“”", "„": "“”", "”": "”"}.items()
}
ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
ESCAPES |= {quote: quote for quote in "'\"\\“”„"}
ESCAPE = re.compile(r"\\(.)|\r\n|\r|\n", re.DOTALL)
DASHES = {"–": "-", "−": "-"}  # the documentation's own table prints one


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is number, string, name, sign or end; `value` of a string is marked as the author's."""

    kind: str
    value: str | float
    offset: int
    after: int


def tokens(text: str, start: int) -> Iterator[Token]:
    """The tokens of the code that begins with `<$` at *start*; the last is its `$>`.

    White space and line breaks between them are free. A `$>` inside a string does not end the code. A string stands
    between `"` or curly quotes; a line break typed in one counts as a space.

    Raises:
        Wrong: a character, string, number or name that cannot be, or the text ends first.
    """
    at = start + len(START)
    while True:
        at = SPACE.match(text, at).end()  # type: ignore[union-attr]  # it matches nothing, too
        found = TOKEN.match(text, at)
        if found is None or found.lastgroup == "start":
            raise _stray(text, start, at)
        token = _token(text, found)
        yield token
        if token.kind == "end":
            return
        at = token.after


def _token(text: str, found: re.Match[str]) -> Token:
    kind, written, offset = str(found.lastgroup), found[0], found.start()
    if kind == "quote":
        return _string(text, written, offset)
    value: str | float = written
    if kind == "number":
        value = _number(written, offset)
    elif kind == "name":
        value = "".join(written.split())
        if len(value) > LONGEST_NAME:
            raise Wrong(f"this name is too long; expected at most {LONGEST_NAME} characters", offset)
    return Token(kind, DASHES.get(written, value), offset, found.end())


def _stray(text: str, start: int, at: int) -> Wrong:
    if at == len(text):
        return Wrong("this code is not closed; expected $> after its formula", start)
    if text.startswith(START, at):
        return Wrong("found <$ inside a code; expected $> before the next code", at)
    return Wrong(f"found the character {text[at]!r}; expected a value or an operator", at)


def _number(written: str, offset: int) -> float:
    if len(written) > LONGEST_NUMBER:
        raise Wrong(f"this number is too long; expected at most {LONGEST_NUMBER} characters", offset)
    try:
        return finite(float(written))
    except Wrong as wrong:
        raise wrong.at(offset) from None


def _string(text: str, quote: str, offset: int) -> Token:
    found = STRINGS[quote].match(text, offset + 1)
    if found is None:
        raise Wrong('this string is not closed; expected " at its end', offset)

    def meaning(escape: re.Match[str]) -> str:
        if escape[1] is None:
            return " "
        if escape[1] not in ESCAPES:
            problem = f"the escape of {escape[1]!r} is unknown; expected \\a \\b \\f \\n \\r \\t \\v \\' \\\" or \\\\"
            raise Wrong(problem, offset + 1 + escape.start())
        return ESCAPES[escape[1]]

    return Token("string", by_author(ESCAPE.sub(meaning, found[1])), offset, found.end())
