"""Formulas worked out with values."""

from __future__ import annotations

from emaild.render.field_codes.faults import FieldCodeError, Wrong
from emaild.render.field_codes.formats import written
from emaild.render.field_codes.function import Function
from emaild.render.field_codes.functions import IF, function_of
from emaild.render.field_codes.limits import LONGEST_STRING, MOST_CHARACTERS, MOST_NESTED, MOST_STEPS
from emaild.render.field_codes.marks import as_html, by_author, plain
from emaild.render.field_codes.objects import SavedCode, Scope, read
from emaild.render.field_codes.operators import LOGIC, applied, outcome
from emaild.render.field_codes.template import Template, compiled
from emaild.render.field_codes.tree import Binary, Call, Literal, Name, Node, Unary, spine
from emaild.render.field_codes.values import Kind, Value, fits, kind_of, shown, text_of


def render(text: str | Template, scope: Scope, *, html: bool = False) -> str:
    """The text with each `<$ … $>` replaced by its value.

    With *html* the values of properties, attached data and custom strings are escaped, through whatever functions they
    went; strings typed in a code are the author's and may hold tags. Functions see what people read: `Length` of `&`
    is 1, and an `&amp;` that an author typed is 5.

    Raises:
        FieldCodeError: a code is wrong, also one whose value was not needed; nothing is half rendered.
    """
    template = compiled(text) if isinstance(text, str) else text
    evaluator = _Evaluator(scope)
    finish = as_html if html else plain
    try:
        return "".join(part if isinstance(part, str) else finish(evaluator.text(part)) for part in template.parts)
    except Wrong as wrong:
        raise FieldCodeError(wrong.problem, template.text, wrong.offset or 0) from None


class _Evaluator:
    """Works out the formulas of one rendering, and counts what they ask for."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._steps = self._characters = self._nested = 0
        self._open: list[str] = []  # the saved codes that are being worked out

    def text(self, node: Node) -> str:
        """The text form of a formula's value."""
        text = text_of(self._value(node))
        self._count(text, node.offset)
        return text

    def _value(self, node: Node) -> Value:
        self._nested += 1  # not taken back after a fault, which ends the rendering
        if self._nested > MOST_NESTED:
            raise Wrong(f"this is nested too deep; expected at most {MOST_NESTED} levels", node.offset)
        first, after = spine(node)
        try:
            value = self._operand(first)
        except Wrong as wrong:
            raise wrong.at(first.offset) from None
        self._count(value, first.offset)
        for binary in after:
            try:
                value = self._binary(binary, value)
            except Wrong as wrong:
                raise wrong.at(binary.offset) from None
            self._count(value, binary.offset)
        self._nested -= 1
        return value

    def _count(self, value: Value, offset: int) -> None:
        self._steps += 1
        if isinstance(value, str):
            self._characters += len(value)
        if self._steps > MOST_STEPS or self._characters > MOST_CHARACTERS:
            raise Wrong(f"the codes ask for too much; expected at most {MOST_CHARACTERS} characters", offset)

    def _operand(self, node: Literal | Name | Call | Unary) -> Value:
        if isinstance(node, Literal):
            return node.value
        if isinstance(node, Unary):
            return self._unary(node)
        if isinstance(node, Call):
            return self._call(node)
        found = read(self._scope, node.path)
        return self._saved(node.path, found) if isinstance(found, SavedCode) else found

    def _unary(self, node: Unary) -> Value:
        value = self._value(node.operand)
        if node.operator == "not" and isinstance(value, bool):
            return not value
        if node.operator == "-" and isinstance(value, float):
            return -value
        wanted = Kind.NUMBER if node.operator == "-" else Kind.BOOLEAN
        raise Wrong(f"found {_called(node.operand, value)} after {node.operator}; expected {wanted.value}")

    def _binary(self, node: Binary, left: Value) -> Value:
        if node.operator in ("and", "or") and left is (node.operator == "or"):
            return left
        right = self._value(node.right)
        outcome(node.operator, kind_of(left), kind_of(right))
        if node.operator in LOGIC:
            return left is not right if node.operator == "xor" else right
        if node.operator == ":":
            return written(left, str(right), self._scope.locale)
        value = applied(node.operator, left, right)
        if isinstance(value, str) and len(value) > LONGEST_STRING:
            raise Wrong(f"the result is too long; expected at most {LONGEST_STRING} characters")
        return value

    def _call(self, node: Call) -> Value:
        function = function_of(node.path)
        if function.name.lower() == IF:
            condition = self._argument(function, 0, node.arguments[0])
            return self._value(node.arguments[1 if condition else 2])
        arguments = [self._argument(function, number, one) for number, one in enumerate(node.arguments)]
        try:
            return function.does(self._scope, *arguments)
        except OverflowError:
            raise Wrong(f"the result of {function.name} is too large; expected a date in the years 1 to 9999") from None

    def _argument(self, function: Function, number: int, node: Node) -> Value:
        value = self._value(node)
        if not fits(value, function.kind(number)):
            raise function.unfit(number, _called(node, value)).at(node.offset)
        return value

    def _saved(self, name: str, saved: SavedCode) -> Value:
        """The value of a saved code: its one formula's where it is nothing else, or its text."""
        if name.lower() in self._open:
            raise Wrong(f"the saved code {name} holds itself; expected codes that end")
        self._open.append(name.lower())
        try:
            parts = [part for part in compiled(saved.text).parts if not isinstance(part, str) or part.strip()]
            if len(parts) == 1 and not isinstance(parts[0], str):
                value = self._value(parts[0])
            else:
                every = compiled(saved.text).parts
                value = "".join(by_author(part) if isinstance(part, str) else self.text(part) for part in every)
        except Wrong as wrong:
            fault = FieldCodeError(wrong.problem, saved.text, wrong.offset or 0)
            raise Wrong(f"in the saved code {name}: {fault}") from None
        except FieldCodeError as fault:
            raise Wrong(f"in the saved code {name}: {fault}") from None
        self._open.pop()
        return value


def _called(node: Node, value: Value) -> str:
    """How a message calls a value: itself where the author typed it; what a customer wrote belongs in no log."""
    if isinstance(node, Literal):
        return shown(value)
    return "an empty string" if value == "" else kind_of(value).value
