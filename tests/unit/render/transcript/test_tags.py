"""Where a standard response wants its transcript: the guide's tags, as people and HTML editors write them."""

from __future__ import annotations

import pytest

from emaild.render.transcript.tags import MOST_PLACES, places, put


def filled(part: str) -> str:
    """The part with each place as `{pattern}`."""
    return "".join(put(part, places(part), lambda pattern: [f"{{{pattern}}}"]))


TAG = "<Genesys_Chat_Transcript><Timestamp>yyyy HH</Timestamp></Genesys_Chat_Transcript>"


@pytest.mark.parametrize(
    "tag",
    [
        TAG,
        TAG.lower().replace("hh", "HH"),
        TAG.upper().replace("YYYY", "yyyy"),
        TAG.replace("><", ">\n  <"),
        TAG.replace(">", " >").replace("</", "< / "),
        TAG.replace("yyyy HH", "  yyyy \n\t HH\r\n"),
        TAG.replace("yyyy HH", "yyyy&nbsp;HH"),
        TAG.replace("yyyy HH", "yyyy<br>HH"),
        TAG.replace("yyyy HH", "<span style='color: red'>yyyy</span> <b>HH</b>"),
        TAG.replace("><", "></p>\n<p class='x'><"),
        TAG.replace("Transcript><", "Transcript class=\"a\" data-x='b'><").replace("stamp>yyyy", "stamp x=1>yyyy"),
        TAG.replace("<", "&lt;").replace(">", "&gt;"),
        TAG.replace("<", "&LT;").replace(">", "&GT;"),
        TAG.replace("<", "&#60;").replace(">", "&#x3E;"),
        TAG.replace("<", "&lt;").replace(">", "&gt;").replace("&gt;&lt;", "&gt;<br />&lt;"),
        TAG.replace("<", "</p><p>&lt;").replace(">yyyy", "&gt;</p><p>yyyy").removeprefix("</p><p>"),
        TAG.replace("<Time", "text that goes <i>too</i> <Time"),
        TAG.replace("</Gene", "<Timestamp>ss</Timestamp></Gene"),
    ],
)
def test_the_tag_with_its_pattern_is_found_however_it_is_written(tag: str) -> None:
    assert filled(f"Dear Ann,\n{tag}\nBye") == "Dear Ann,\n{yyyy HH}\nBye"


@pytest.mark.parametrize(
    "tag",
    [
        "[ChatTranscript]",
        "[chattranscript]",
        "[ ChatTranscript ]",
        "<Genesys_Chat_Transcript></Genesys_Chat_Transcript>",
        "<Genesys_Chat_Transcript>here</Genesys_Chat_Transcript>",
        "<Genesys_Chat_Transcript/>",
        "<Genesys_Chat_Transcript>",
        "<Genesys_Chat_Transcript><Timestamp></Timestamp></Genesys_Chat_Transcript>",
        "<Genesys_Chat_Transcript><Timestamp> &nbsp; </Timestamp></Genesys_Chat_Transcript>",
        "<Genesys_Chat_Transcript><Timestamp>yyyy</Genesys_Chat_Transcript>",
        "<Genesys_Chat_Transcript></Timestamp>yyyy<Timestamp></Genesys_Chat_Transcript>",
        "<Genesys_Chat_Transcript></Timestamp>yyyy</Timestamp></Genesys_Chat_Transcript>",
    ],
)
def test_a_tag_without_a_pattern_is_a_place_too(tag: str) -> None:
    assert filled(f"Dear Ann,\n{tag}\nBye") == "Dear Ann,\n{None}\nBye"


@pytest.mark.parametrize(
    "part",
    [
        "",
        "Dear Ann",
        "ChatTranscript [Chat Transcript] (ChatTranscript)",
        "<Genesys_Chat_Transcripts></Genesys_Chat_Transcripts>",
        "</Genesys_Chat_Transcript>",
        "<Timestamp>yyyy</Timestamp>",
        "<style>.Genesys_Chat_Transcript {}</style>",
    ],
)
def test_other_text_is_no_tag(part: str) -> None:
    assert places(part) == ()
    assert filled(part) == part


def test_several_tags_are_as_many_places_and_a_pattern_belongs_to_its_own() -> None:
    part = f"a [ChatTranscript] b {TAG} <Timestamp>x</Timestamp> c <Genesys_Chat_Transcript> d {TAG} e"
    assert filled(part) == "a {None} b {yyyy HH} <Timestamp>x</Timestamp> c {None} d {yyyy HH} e"


def test_too_many_tags_are_taken_out() -> None:
    """What comes into a response from outside cannot make it grow without end."""
    assert filled("[ChatTranscript]." * 1000) == "{None}." * MOST_PLACES + "." * (1000 - MOST_PLACES)


@pytest.mark.parametrize(
    "hostile",
    [
        "<Genesys_Chat_Transcript ",
        "<Genesys_Chat_Transcript>",
        "<Genesys_Chat_Transcript><Timestamp>",
        "<Timestamp",
        "&lt;",
        "[        ",
        "<         /        ",
        TAG,
    ],
)
def test_megabytes_of_broken_tags_take_no_more_than_their_length(hostile: str) -> None:
    """Any of them would take minutes if the time grew with the square of the length."""
    part = hostile * (3_000_000 // len(hostile))
    assert len(filled(part)) <= len(part)


def test_a_pattern_of_markup_takes_no_more_than_its_length() -> None:
    assert len(places(TAG.replace("yyyy", "<" * 2_000_000))) == 1
