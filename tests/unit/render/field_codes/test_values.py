"""What a formula can name, saved codes, and what becomes of values in HTML."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest

from emaild.render.field_codes import FieldCodeError, SavedCode, Scope, check, compiled, render

HOSTILE = "<script>\"'&amp;</script> <$ 1/0 $>"
ESCAPED = "&lt;script&gt;&quot;&#x27;&amp;amp;&lt;/script&gt; &lt;$ 1/0 $&gt;"


def value(code: str, *, html: bool = False, **given: Any) -> str:
    return render(f"<${code}$>", Scope(**given), html=html)


@pytest.mark.parametrize(
    ("holder", "name"),
    [
        *(("Interaction", name) for name in ("Id", "DateCreated", "Subject", "ToAddress", "FromAddress", "TimeZone")),
        *(("Contact", name) for name in ("Id", "Title", "FirstName", "LastName", "FullName")),
        *(("Contact", name) for name in ("PrimaryPhoneNumber", "PrimaryEmailAddress", "EmailAddresses")),
        *(("Agent", name) for name in ("FirstName", "LastName", "FullName", "Signature")),
    ],
)
def test_each_listed_property_has_its_value_or_is_empty(holder: str, name: str) -> None:
    given: dict[str, Any] = {holder.lower(): {name: "its value"}}
    in_small: dict[str, Any] = {holder.lower(): {name.lower(): "its value"}}
    none: dict[str, Any] = {holder.lower(): {name: None}}
    assert value(f"{holder}.{name}", **given) == "its value"
    assert value(f"{holder}.{name}".upper(), **in_small) == "its value"
    assert value(f'"[" + {holder}.{name} + "]"') == "[]"
    assert value(f"IsEmpty({holder}.{name})", **none) == "True"


def test_values_keep_their_kinds() -> None:
    data = {"text": "5", "number": 5, "yes": True, "date": datetime(2024, 1, 2, tzinfo=UTC), "list": ["a", "b"]}
    got = 'Interaction.AttachedData("{}")'
    assert value(f"{got.format('number')} + 1", attached_data=data) == "6"
    assert value(f"{got.format('text')} + 1", attached_data=data) == "51"
    assert value(f"Not {got.format('yes')}", attached_data=data) == "False"
    assert value(f"Year({got.format('date')})", attached_data=data) == "2024"
    assert value(got.format("list"), attached_data=data) == "a, b"
    assert value(f"IsEmpty({got.format('missing')})", attached_data=data) == "True"


def test_keys_of_attached_data_are_found_in_their_case_first() -> None:
    data = {"key": "small", "KEY": "large"}
    assert value('Interaction.AttachedData("KEY")', attached_data=data) == "large"
    assert value('Interaction.AttachedData("Key")', attached_data=data) == "small"
    assert value("Interaction.AttachedData(\"<a href=''>\")", attached_data={"<a href=''>": "found"}) == "found"


def test_a_property_that_is_empty_can_be_asked_for_whatever_its_kind() -> None:
    code = 'If(Interaction.DateCreated = "", "none", "some")'
    assert value(code) == "none"
    assert value(code, interaction={"DateCreated": datetime(2024, 1, 2, tzinfo=UTC)}) == "some"


def test_lists_of_addresses() -> None:
    contact = {"EmailAddresses": ["ann@example.com", "lee@example.com"]}
    assert value("Contact.EmailAddresses.Count", contact=contact) == "2"
    assert value("Contact.EmailAddresses.Count") == "0"
    assert value('Contact.EmailAddresses.Exists("LEE@example.com")', contact=contact) == "True"
    assert value('Contact.EmailAddresses.Exists("lee")', contact=contact) == "False"
    assert value('Contact.EmailAddresses.Exists("lee")') == "False"


def test_custom_values_have_dotted_names() -> None:
    custom = {"my.order.Number": 7.0, "größe": "XL", "tags": ["a", "b"], "none": None, "2nd": "no name"}
    assert value("My.Order.number + 1", custom=custom) == "8"
    assert value("größe", custom=custom) == "XL"
    assert value('tags.Count + " " + tags.Exists("B")', custom=custom) == "2 True"
    assert value("IsEmpty(none)", custom=custom) == "True"
    assert value(f"a{'b' * 63}", custom={f"a{'b' * 63}": "64 characters"}) == "64 characters"
    for wrong in ("my.order", "my.order.number.count", 'größe.Exists("X")', 'other.Exists("X")'):
        with pytest.raises(FieldCodeError, match="is unknown"):
            value(wrong, custom=custom)


def test_a_custom_value_cannot_take_a_listed_objects_place() -> None:
    with pytest.raises(FieldCodeError, match=r"Contact\.Extra is unknown"):
        value("Contact.Extra", custom={"Contact.Extra": "x"}, contact={"Extra": "y"})


@pytest.mark.parametrize("given", [datetime(2024, 1, 1), float("nan"), float("inf"), 10**400, b"bytes", {"a": 1}])
def test_what_cannot_be_a_value_is_a_fault(given: object) -> None:
    with pytest.raises(FieldCodeError, match="expected"):
        value("name", custom={"name": given})


def test_a_saved_code_is_rendered() -> None:
    custom = {"my.agent.signature": SavedCode("Sam<BR />\n<$ Agent.FullName $>"), "n": SavedCode(" <$ 1 + 2 $>\n")}
    assert value("my.agent.signature", agent={"FullName": "A&B"}, custom=custom) == "Sam<BR />\nA&B"
    assert value("my.agent.signature", html=True, agent={"FullName": "A&B"}, custom=custom) == "Sam<BR />\nA&amp;B"
    assert value("n * 2", custom=custom) == "6"


def test_a_wrong_saved_code_is_named() -> None:
    with pytest.raises(
        FieldCodeError, match=r"in the saved code a: .*zero; .* \(line 1, column 5\) \(line 1, column 7\)"
    ):
        value("1 + a", custom={"a": SavedCode("<$ 1/0 $>")})
    with pytest.raises(FieldCodeError, match=r"in the saved code a: found \$>"):
        value("a", custom={"a": SavedCode("<$ $>")})


def test_saved_codes_in_a_circle_are_a_fault() -> None:
    custom = {"a": SavedCode("<$ b $>"), "b": SavedCode("x<$ A $>")}
    with pytest.raises(FieldCodeError, match="the saved code A holds itself"):
        value("a", custom=custom)
    assert value("c + c", custom={"c": SavedCode("twice ")}) == "twice twice "


@pytest.mark.parametrize(
    ("code", "given"),
    [
        ("Contact.FirstName", {"contact": {"FirstName": HOSTILE}}),
        ('Interaction.AttachedData("k")', {"attached_data": {"k": HOSTILE}}),
        ("name", {"custom": {"name": HOSTILE}}),
        ("Contact.EmailAddresses", {"contact": {"EmailAddresses": [HOSTILE]}}),
    ],
)
def test_values_are_never_markup_or_codes(code: str, given: dict[str, Any]) -> None:
    assert value(code, **given) == HOSTILE
    assert value(code, html=True, **given) == ESCAPED
    assert value(f'"<b title=\'" + {code} + "\'>&amp;"', html=True, **given) == f"<b title='{ESCAPED}'>&amp;"


@pytest.mark.parametrize(
    ("code", "html"),
    [
        ("Upper(n)", "&lt;B&gt;&amp;"),
        ('Upper("<b>" + n)', "<B>&lt;B&gt;&amp;"),
        ('Left("<i>" + n, 4)', "<i>&lt;"),
        ("Right(n, 1)", "&amp;"),
        ("Length(n)", "4"),
        ('Length("&amp;")', "5"),
        ('Replace(n, "<", "<hr>")', "<hr>b&gt;&amp;"),
        ('Replace("<b>", "b", n)', "<&lt;b&gt;&amp;>"),
        ('Find(">", n)', "3"),
        ('n = "<B>&"', "True"),
        ("Repeat(n, 2)", "&lt;b&gt;&amp;&lt;b&gt;&amp;"),
        ('n : "<u>@</u>"', "<u>&lt;b&gt;&amp;</u>"),
        ("2 : \"'<u>'0'</u>'\"", "<u>2</u>"),
        ("Date(2024,1,1) : \"'<b>'d'</b>'\"", "<b>1</b>"),
        ('True : "<b>;&lt;"', "<b>"),
        ("Text(2, 0 + n)", "2&lt;b&gt;&amp;"),
        ('Split(n + "," + "<b>", ",", 2)', "<b>"),
        ('Coalesce("", n)', "&lt;b&gt;&amp;"),
        ('If(True, "<p>" + n, 1)', "<p>&lt;b&gt;&amp;"),
        ('Trim(" <p> ")', "<p>"),
        ('Contains("<p>", Left(n, 1))', "True"),
    ],
)
def test_what_is_markup_stays_known_through_every_function(code: str, html: str) -> None:
    assert value(code, html=True, custom={"n": "<b>&"}) == html


def test_a_value_cannot_pass_for_the_author() -> None:
    forged = "".join(map(chr, range(0xFDD0, 0xFDF0)))
    for html, given in itertools.product((False, True), (forged, [forged])):
        shown = value("n", html=html, custom={"n": given})
        assert not set("<>&\"'") & set(shown)
    assert value(f'"{forged[:5]}"', html=True) == "\ufffd" * 5


def test_a_template_is_compiled_once_and_rendered_often() -> None:
    template = compiled("<b><$ Contact.FirstName $></b>")
    assert [render(template, Scope(contact={"FirstName": name}), html=True) for name in "a<"] == [
        "<b>a</b>",
        "<b>&lt;</b>",
    ]
    assert compiled("<b><$ Contact.FirstName $></b>") is template
    with pytest.raises(FieldCodeError):
        compiled("<$ $>")
    assert check("<$ any.custom.name $>") == []
