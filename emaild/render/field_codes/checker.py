"""What is wrong with a formula whatever its values are."""

from __future__ import annotations

from emaild.render.field_codes.faults import Wrong
from emaild.render.field_codes.formats import check_pattern
from emaild.render.field_codes.function import Function
from emaild.render.field_codes.functions import function_of
from emaild.render.field_codes.objects import PROPERTIES, is_listed
from emaild.render.field_codes.operators import outcome
from emaild.render.field_codes.tree import Binary, Call, Literal, Name, Node, Unary, spine
from emaild.render.field_codes.values import Kind, fits, kind_of, shown

PATTERN = 1  # which argument of Text is one
KINDS = {name.lower(): kind for name, kind in PROPERTIES.items()}


def faults(node: Node) -> list[Wrong]:
    """All that is wrong, in the order of the text's formulas."""
    checker = _Checker()
    checker.kind(node)
    return checker.found


class _Checker:
    """Walks a tree and works out kinds; ANY is one that only a value will tell."""

    def __init__(self) -> None:
        self.found: list[Wrong] = []

    def kind(self, node: Node) -> Kind:
        first, after = spine(node)
        kind = self._operand(first)
        for binary in after:
            kind = self._binary(binary, kind)
        return kind

    def _operand(self, node: Literal | Name | Call | Unary) -> Kind:
        if isinstance(node, Literal):
            return kind_of(node.value)
        if isinstance(node, Unary):
            return self._unary(node)
        kinds = [self.kind(argument) for argument in node.arguments] if isinstance(node, Call) else []
        try:
            return self._call(node, kinds) if isinstance(node, Call) else _name(node)
        except Wrong as wrong:
            self.found.append(wrong.at(node.offset))
            return Kind.ANY

    def _unary(self, node: Unary) -> Kind:
        wanted = Kind.NUMBER if node.operator == "-" else Kind.BOOLEAN
        found = self.kind(node.operand)
        if found not in (wanted, Kind.ANY):
            self.found.append(Wrong(f"found {found.value} after {node.operator}; expected {wanted.value}", node.offset))
        return wanted

    def _binary(self, node: Binary, left: Kind) -> Kind:
        right = self.kind(node.right)
        try:
            kind = outcome(node.operator, left, right)
            if node.operator == ":":
                self._pattern(left, node.right)
        except Wrong as wrong:
            self.found.append(wrong.at(node.offset))
            return Kind.ANY
        return kind

    def _call(self, node: Call, kinds: list[Kind]) -> Kind:
        function = function_of(node.path)
        function.check_count(len(kinds))
        for number, (argument, kind) in enumerate(zip(node.arguments, kinds, strict=True)):
            self._argument(function, number, argument, kind)
        if function.name == "Text" and len(kinds) > PATTERN:
            self._pattern(kinds[0], node.arguments[PATTERN])
        return function.returns

    def _argument(self, function: Function, number: int, argument: Node, kind: Kind) -> None:
        if isinstance(argument, Literal):
            if not fits(argument.value, function.kind(number)):
                self.found.append(function.unfit(number, shown(argument.value)).at(argument.offset))
        elif not _may_be(kind, function.kind(number)):
            self.found.append(function.unfit(number, kind.value).at(argument.offset))

    def _pattern(self, kind: Kind, node: Node) -> None:
        """A pattern can be looked at where it is a literal; an empty one is none."""
        if isinstance(node, Literal) and isinstance(node.value, str) and node.value:
            try:
                check_pattern(kind, node.value)
            except Wrong as wrong:
                self.found.append(wrong.at(node.offset))


def _may_be(kind: Kind, wanted: Kind) -> bool:
    return Kind.ANY in (kind, wanted) or kind is (Kind.NUMBER if wanted is Kind.WHOLE else wanted)


def _name(node: Name) -> Kind:
    if not is_listed(node.path):
        return Kind.ANY
    if node.path.lower() not in KINDS:
        raise Wrong(f"{node.path} needs an argument; expected ( after it")
    return KINDS[node.path.lower()]
