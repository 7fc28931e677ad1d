"""Nothing that a text asks for hangs, fills the memory or ends in another error."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from emaild.render.field_codes import FUNCTIONS, FieldCodeError, SavedCode, Scope, check, render
from emaild.render.field_codes.marks import by_author
from emaild.render.field_codes.parser import LEVELS, formula
from emaild.render.field_codes.tree import Binary, Call, Literal, Name, Node, Unary

SCOPE = Scope(
    now=datetime(2024, 2, 1, tzinfo=UTC),
    contact={"FirstName": "Ann", "EmailAddresses": ["a@example.com"]},
    custom={"n": 5.0, "date": datetime(2024, 1, 1, tzinfo=UTC), "yes": True},
)


def fault(text: str, **given: Any) -> str:
    with pytest.raises(FieldCodeError) as raised:
        render(text, Scope(**given))
    return raised.value.problem


@pytest.mark.parametrize(
    "code",
    [
        "(" * 10_000 + "1" + ")" * 10_000,
        "(" * 100_000,
        "-" * 10_000 + "1",
        "Not " * 10_000 + "True",
        "Abs(" * 10_000 + "1" + ")" * 10_000,
    ],
)
def test_deep_nesting_is_a_fault(code: str) -> None:
    assert "nested too deep; expected at most 100 levels" in fault(f"<${code}$>")


def test_what_is_nested_less_is_worked_out() -> None:
    assert render(f"<${'(' * 90}1{')' * 90}$>", Scope()) == "1"
    assert render(f"<${'Abs(-' * 45}1{')' * 45}$>", Scope()) == "1"


def test_a_long_chain_is_not_deep() -> None:
    assert render(f"<$ 1{' + 1' * 20_000} $>", Scope()) == "20001"
    assert render(f"<$ True{' And True' * 20_000} $>", Scope()) == "True"


def test_saved_codes_nested_deep_are_a_fault() -> None:
    custom = {f"c{n}": SavedCode(f"-<$ c{n + 1} $>") for n in range(200)} | {"c200": SavedCode("end")}
    assert "nested too deep" in fault("<$ c0 $>", custom=custom)
    assert render("<$ c150 $>", Scope(custom=custom)) == "-" * 50 + "end"


@pytest.mark.parametrize(
    "code",
    [
        'Repeat("x", 1e9)',
        'Repeat(Repeat("x", 1000000), 2)',
        'Replace(Repeat("x", 1000), "x", Repeat("y", 2000))',
        'Repeat("x", 1000000) + "x"',
        f'Repeat("x", 10000) : "{"@" * 200}"',
    ],
)
def test_a_string_too_long_is_a_fault(code: str) -> None:
    assert "too long; expected at most 1000000" in fault(f"<$ {code} $>")


def test_strings_on_the_way_to_a_long_one_are_bounded_too() -> None:
    assert "too much" in fault(f"<$ {' + '.join(['x'] * 400)} $>", custom={"x": "y" * 10_000})


def test_values_repeated_in_a_text_are_bounded() -> None:
    assert "too much" in fault("<$ n $>" * 100, custom={"n": "x" * 1_000_000})


def test_saved_codes_that_multiply_are_bounded() -> None:
    custom = {f"c{n}": SavedCode(f"<$ {' + '.join([f'c{n + 1}'] * 10)} $>") for n in range(12)} | {"c12": 1.0}
    assert "too much" in fault("<$ c0 $>", custom=custom)


def test_errors_are_found_in_linear_time() -> None:
    """Each wrong code here reaches to the end of the text: all of them would read 10^11 characters."""
    assert len(check("<$ „ $>" * 200_000)) == 100


def test_looking_for_a_part_takes_linear_time() -> None:
    """Compared place by place this would take 10^11 steps."""
    code = '<$ Find(Repeat("a", 400000) + "b", Repeat("a", 900000)) $>'
    assert render(code, Scope()) == "0"


def test_long_numbers_and_dates_are_faults() -> None:
    assert "too long" in fault(f"<$ {'9' * 1_000_000} $>")
    assert "too long" in fault(f'<$ Num("{"9" * 1_000_000}") $>')
    assert "too long" in fault(f'<$ Date("{"9" * 1_000_000}") $>')
    assert render(f'<$ Num("{"x" * 1_000_000}") $>', Scope()) == "0"


WORDS = ["<$", "$>", '"', "“", "”", "\\n", "(", ")", ",", ".", ":", "1", "0.5", "1e9", "n", "date", "yes", "Contact"]
WORDS += [".FirstName", ".EmailAddresses", ".Count", ".Exists", "\n", " ", "And", "Not", "Mod", "#,##0.00", "yyyy", "@"]
WORDS += ["+", "-", "*", "/", "^", "=", "<", ">", "True", *(f"{function.name}(" for function in FUNCTIONS.values())]


@given(st.one_of(st.text(), st.lists(st.sampled_from(WORDS)).map("".join)), st.booleans())
def test_any_text_is_rendered_or_refused(text: str, html: bool) -> None:
    wrong = check(text)
    for problem in wrong:
        assert 0 <= problem.offset <= len(text)
    try:
        render(text, SCOPE, html=html)
    except FieldCodeError as error:
        assert not wrong or error.problem == wrong[0].problem  # noqa: PT017
    else:
        assert wrong == []


VALUES = st.one_of(
    st.floats(allow_nan=False),
    st.text(),
    st.booleans(),
    st.datetimes(timezones=st.just(UTC)),
    st.sampled_from(["0.00", "d/M/y", "yes;no", "@", "en_US", "de_DE", "2024-01-02", "GMT+01.00"]),
)


@given(st.sampled_from(sorted(FUNCTIONS)), st.lists(VALUES, max_size=6), st.booleans())
def test_any_function_takes_any_values_or_refuses_them(name: str, values: list[Any], html: bool) -> None:
    scope = Scope(now=SCOPE.now, custom={f"v{number}": value for number, value in enumerate(values)})
    code = f"<${name}({','.join(scope.custom)})$>"
    try:
        render(code, scope, html=html)
    except FieldCodeError as error:
        assert error.line == 1  # noqa: PT017


@given(st.sampled_from(sorted({operator for level in LEVELS for operator in level} - {"not"})), VALUES, VALUES)
def test_any_operator_takes_any_values_or_refuses_them(operator: str, left: Any, right: Any) -> None:
    try:
        render(f"<$ a {operator} b $>", Scope(custom={"a": left, "b": right}))
    except FieldCodeError as error:
        assert error.line == 1  # noqa: PT017


NAMES = st.sampled_from(["Contact.FirstName", "my.name", "größe", "x1"])
LEAVES = st.one_of(
    st.floats(min_value=0, allow_infinity=False, allow_nan=False).map(Literal),
    st.booleans().map(Literal),
    st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])).map(
        lambda text: Literal(by_author(text))
    ),
    NAMES.map(Name),
)


def _larger(nodes: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    operators = st.sampled_from([operator for level in LEVELS for operator in level if operator != "not"])
    return st.one_of(
        st.builds(Binary, operators, nodes, nodes),
        st.builds(Unary, st.sampled_from(["-", "not"]), nodes),
        st.builds(Call, NAMES, st.lists(nodes, max_size=3).map(tuple)),
    )


def _level(node: Node) -> int:
    if isinstance(node, Binary):
        return next(number for number, level in enumerate(LEVELS) if node.operator in level)
    if isinstance(node, Unary) and node.operator == "not":
        return LEVELS.index(("not",))
    return len(LEVELS)


def printed(node: Node, loosest: int = 0) -> str:
    """The formula with no more parentheses than it needs."""
    if _level(node) < loosest:
        return f"({printed(node)})"
    if isinstance(node, Binary):
        level = _level(node)
        return f"{printed(node.left, level)} {node.operator} {printed(node.right, level + 1)}"
    if isinstance(node, Unary):
        return f"{node.operator} {printed(node.operand, _level(node))}"
    if isinstance(node, Call):
        return f"{node.path}({', '.join(printed(one) for one in node.arguments)})"
    if isinstance(node, Name):
        return node.path
    if isinstance(node.value, str):
        text = render("<$n$>", Scope(custom={"n": node.value})) if not node.value else _typed(node.value)
        return f'"{text}"'
    return repr(node.value)


def _typed(value: str) -> str:
    plain = {by_author(sign): sign for sign in "<>&\"'"}
    text = "".join(plain.get(character, character) for character in value)
    return text.replace("\\", "\\\\").replace('"', '\\"')


@given(st.recursive(LEAVES, _larger, max_leaves=12))
@example(Unary("-", Binary("^", Literal(2.0), Literal(2.0))))
@example(Binary("-", Literal(1.0), Binary("-", Literal(2.0), Literal(3.0))))
def test_a_tree_printed_is_parsed_to_the_same_tree(tree: Node) -> None:
    text = f"<$ {printed(tree)} $>"
    assert formula(text, 0) == (tree, len(text))
