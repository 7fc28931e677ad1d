"""All functions of the language, by name in lower case; those that Genesys does not document are OURS."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Context, Decimal

from emaild.render.field_codes import date_functions, string_functions
from emaild.render.field_codes.faults import Wrong
from emaild.render.field_codes.formats import written
from emaild.render.field_codes.function import Function
from emaild.render.field_codes.marks import folded, plain
from emaild.render.field_codes.number_reading import number_from
from emaild.render.field_codes.objects import (
    ATTACHED_DATA,
    EMAIL_ADDRESSES_EXISTS,
    EXISTS,
    Scope,
    attached,
    exists,
    is_listed,
    nearest,
)
from emaild.render.field_codes.values import Kind, Value, finite, text_of

NUMBER, STRING, WHOLE, BOOLEAN, ANY = Kind.NUMBER, Kind.STRING, Kind.WHOLE, Kind.BOOLEAN, Kind.ANY
IF = "if"  # worked out by the evaluator, which leaves the other result alone
TRUE = ("on", "yes", "true")
FALSE = ("off", "no", "false")
MOST_DIGITS = 300
ENOUGH = Context(prec=1_000, rounding=ROUND_HALF_UP)


def _bool(_: Scope, given: Value, default: bool = False) -> bool:
    if not isinstance(given, (str, float)):
        raise Wrong("expected a number or a string, found another kind as the 1st argument of Bool")
    if isinstance(given, float):
        return given != 0
    word = folded(given)
    return True if word in TRUE else False if word in FALSE else default


def _num(scope: Scope, text: str, locale: str = "") -> float:
    return number_from(plain(text), plain(locale) or scope.locale)


def _text(scope: Scope, given: Value, pattern: str = "", locale: str = "") -> str:
    return written(given, pattern, plain(locale) or scope.locale) if pattern else text_of(given)


def _round(_: Scope, number: float, digits: float = 0.0) -> float:
    if abs(digits) > MOST_DIGITS:
        raise Wrong(f"found {digits:g} digits; expected at most {MOST_DIGITS}")
    step = Decimal(1).scaleb(-int(digits))
    return finite(float(Decimal(repr(number)).quantize(step, context=ENOUGH)))


def _sqrt(_: Scope, number: float) -> float:
    if number < 0:
        raise Wrong("found a number below 0; expected another for a square root")
    return math.sqrt(number)


def _is_empty(_: Scope, given: Value) -> bool:
    return isinstance(given, str) and not given.strip()


def _coalesce(_: Scope, *given: Value) -> Value:
    return next((one for one in given if not (isinstance(one, str) and not one.strip())), "")


def _exists(path: str) -> Function:
    """The method of a list, by the whole name that the author gave it."""
    line = "Whether the list has that member, in any case."
    return Function(
        path,
        "Member",
        line,
        (STRING,),
        lambda scope, member: exists(scope, path, plain(member)),
        1,
        BOOLEAN,
        ours=False,
    )


FUNCTIONS = {
    function.name.lower(): function
    for function in (
        Function(
            "If",
            "Boolean, TrueResult, FalseResult",
            "One of two results; the other is not worked out.",
            (BOOLEAN, ANY, ANY),
            lambda _, condition, yes, no: yes if condition else no,
            3,
            ANY,
            ours=False,
        ),
        Function(
            "Bool",
            "Arg[, Default]",
            "True or False from a number, or from Yes, On, True, No, Off and False; else the default, or False.",
            (ANY, BOOLEAN),
            _bool,
            1,
            BOOLEAN,
            ours=False,
        ),
        Function(
            "Num",
            "String[, Locale]",
            "The number that the string begins with, or 0.",
            (STRING, STRING),
            _num,
            1,
            NUMBER,
            ours=False,
        ),
        Function(
            "Text",
            "Arg[, Pattern[, Locale]]",
            "The value as a string, by a pattern where one is given.",
            (ANY, STRING, STRING),
            _text,
            1,
            STRING,
            ours=False,
        ),
        Function(
            ATTACHED_DATA,
            "Key",
            "The attached data under that key; empty where there is none.",
            (STRING,),
            lambda scope, key: attached(scope, plain(key)),
            1,
            ANY,
            ours=False,
        ),
        _exists(EMAIL_ADDRESSES_EXISTS),
        Function("Abs", "Number", "Without its sign.", (NUMBER,), lambda _, n: abs(n), 1, NUMBER, ours=False),
        Function(
            "Ceil",
            "Number",
            "The next whole number above.",
            (NUMBER,),
            lambda _, n: float(math.ceil(n)),
            1,
            NUMBER,
            ours=False,
        ),
        Function(
            "Floor",
            "Number",
            "The next whole number below.",
            (NUMBER,),
            lambda _, n: float(math.floor(n)),
            1,
            NUMBER,
            ours=False,
        ),
        *date_functions.FUNCTIONS,
        *string_functions.FUNCTIONS,
        Function(
            "Round",
            "Number[, Digits]",
            "Rounded to so many digits after the point, a half away from zero.",
            (NUMBER, WHOLE),
            _round,
            1,
            NUMBER,
        ),
        Function("Min", "Number, …", "The smallest.", (NUMBER,), lambda _, *n: min(n), 1, NUMBER, endless=True),
        Function("Max", "Number, …", "The largest.", (NUMBER,), lambda _, *n: max(n), 1, NUMBER, endless=True),
        Function("Sqrt", "Number", "The square root.", (NUMBER,), _sqrt, 1, NUMBER),
        Function(
            "IsEmpty", "Value", "Whether it is a string of nothing but white space.", (ANY,), _is_empty, 1, BOOLEAN
        ),
        Function("Coalesce", "Value, …", "The first that is not empty.", (ANY,), _coalesce, 1, ANY, endless=True),
    )
}
OURS = tuple(function for function in FUNCTIONS.values() if function.ours)


def function_of(path: str) -> Function:
    """The function of that name, in any case; that of a custom list for a custom name that ends in `.Exists`.

    Raises:
        Wrong: there is none.
    """
    if path.lower() in FUNCTIONS:
        return FUNCTIONS[path.lower()]
    if is_listed(path):
        raise Wrong(f"{path} is a property; expected no parentheses after it")
    if path.lower().endswith(f".{EXISTS}"):
        return _exists(path)
    names = {name: function.name for name, function in FUNCTIONS.items()}
    raise Wrong(f"the function {path} is unknown; expected {nearest(path, names)}")
