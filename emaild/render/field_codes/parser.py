"""Tokens to a tree."""

from __future__ import annotations

from emaild.render.field_codes.faults import Wrong
from emaild.render.field_codes.lexer import Token, tokens
from emaild.render.field_codes.limits import MOST_NESTED
from emaild.render.field_codes.tree import Binary, Call, Literal, Name, Node, Unary

# The loosest first; all group to the left, so 2^3^2 is 64, and -2^2 is 4, as in the formulas of a spreadsheet.
# The operators are documented, their order but for `a - b > c` is not.
LEVELS: tuple[tuple[str, ...], ...] = (
    (":",),
    ("or", "xor"),
    ("and",),
    ("not",),
    ("=", "<>", "<", "<=", ">", ">="),
    ("+", "-"),
    ("mod",),
    ("*", "/"),
    ("^",),
)
LEVEL = {operator: number for number, level in enumerate(LEVELS) for operator in level}
NEGATION = len(LEVELS)  # the sign of a number binds closest
SYNONYMS = {"==": "=", "eq": "=", "!=": "<>", "ne": "<>", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
WORDS = {"and", "or", "xor", "not", "mod", "eq", "ne", "gt", "ge", "lt", "le"}
BOOLEANS = {"true": True, "false": False}


def formula(text: str, start: int) -> tuple[Node, int]:
    """The tree of the code that begins with `<$` at *start*, and the offset after its `$>`.

    Raises:
        Wrong: it is no formula, or one nested too deep.
    """
    parser = _Parser(text, start)
    node = parser.expression(0)
    if parser.token.kind != "end":
        raise parser.expected("an operator or $>")
    return node, parser.token.after


class _Parser:
    """Precedence climbing over the tokens, one ahead."""

    def __init__(self, text: str, start: int) -> None:
        self._text = text
        self._tokens = tokens(text, start)
        self._nested = 0
        self.token = next(self._tokens)

    def expected(self, what: str) -> Wrong:
        found = self._text[self.token.offset : min(self.token.after, self.token.offset + 20)]
        return Wrong(f"found {' '.join(found.split())}; expected {what}", self.token.offset)

    def expression(self, loosest: int) -> Node:
        """An operand, and the operators after it that bind at least as close as level *loosest*."""
        self._nested += 1
        if self._nested > MOST_NESTED:
            raise Wrong(f"this is nested too deep; expected at most {MOST_NESTED} levels", self.token.offset)
        node = self._operand()
        while (level := LEVEL.get(operator := self._operator(), -1)) >= loosest and operator != "not":
            offset = self._next().offset
            node = Binary(operator, node, self.expression(level + 1), offset)
        self._nested -= 1
        return node

    def _operator(self) -> str:
        """The operator at hand by its first name, or nothing."""
        if self.token.kind == "sign" or self._word() in WORDS:
            word = self._word()
            return SYNONYMS.get(word, word)
        return ""

    def _word(self) -> str:
        return str(self.token.value).lower() if self.token.kind in ("name", "sign") else ""

    def _next(self) -> Token:
        """The token at hand, and on to the one after it."""
        token = self.token
        self.token = next(self._tokens)
        return token

    def _operand(self) -> Node:
        operator, token = self._operator(), self.token
        if operator in ("-", "not"):
            self._next()
            return Unary(operator, self.expression(NEGATION if operator == "-" else LEVEL[operator]), token.offset)
        if operator == "(":
            self._next()
            node = self.expression(0)
            self._pass(")")
            return node
        if operator or token.kind == "end":
            raise self.expected("a value")
        self._next()
        if token.kind != "name":
            return Literal(token.value, token.offset)
        path = str(token.value)
        if path.lower() in BOOLEANS:
            return Literal(BOOLEANS[path.lower()], token.offset)
        if self._operator() != "(":
            return Name(path, token.offset)
        return Call(path, self._arguments(), token.offset)

    def _arguments(self) -> tuple[Node, ...]:
        self._next()
        arguments: list[Node] = []
        while self._operator() != ")":
            if arguments:
                self._pass(",")
            arguments.append(self.expression(0))
        self._next()
        return tuple(arguments)

    def _pass(self, sign: str) -> None:
        if self._operator() != sign:
            raise self.expected(", or )" if sign == "," else sign)
        self._next()
