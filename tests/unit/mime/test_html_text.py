"""HTML mail as text: what a reader sees, in lines; whatever the HTML is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emaild.mime.html_text import readable
from emaild.mime.quoting import apart


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("one<br><br><br>two", "one\n\ntwo"),
        ("<div>one</div><div>two</div>", "one\ntwo"),
        ("<div>one</div><div><br></div><div>two</div>", "one\n\ntwo"),
        ("<p class=MsoNormal>one</p><p class=MsoNormal>&nbsp;</p><p class=MsoNormal>two</p>", "one\n\ntwo"),
        ("<p style='margin:0'>one</p><p style='margin:0'>two</p>", "one\ntwo"),
        (" one \n\t two  <b> three</b>four ", "one two threefour"),
        ("<h1>Head</h1>text", "Head\n\ntext"),
        ("<ul><li>one<li>two</ul>", "- one\n- two"),
        ("<ol start=3><li>one</li><li>two</li></ol>", "3. one\n4. two"),
        ("<ul><li>one<ul><li>inner</ul></li><li>two</ul>", "- one\n  - inner\n- two"),
        ("<table><tr><td>a<td>b<tr><td><p>c</p></td><td><div>d</div></td></tr></table>", "a\tb\nc\td"),
        ("<table><tr><td>a<br>b</td><td>c</td></tr></table>", "a\nb\nc"),
        ("<table><tr><td>a<td></table><p>b", "a\n\nb"),
        ("<table><tr><td></td><td><table><tr><td>a</td></tr></table></td></tr></table>b", "a\nb"),
        ("<pre>\n  one\n    two</pre>three", "  one\n    two\nthree"),
        ("<div style='white-space: pre-wrap'>a\n  b</div>", "a\n  b"),
        ("&lt;&amp;&#228;&#xe4;&nbsp;&euro;&unknown;&", "<&ää €&unknown;&"),
        ("a<hr>b", "a\n" + "_" * 32 + "\nb"),
        ("<img alt='a picture' src=x>", "a picture"),
        ("1 < 2 <> 3", "1 < 2 <> 3"),
        ("<o:p>one</o:p>", "one"),
        ("<td>one</div></td>", "one"),
        ("", ""),
    ],
)
def test_a_page_is_read_in_lines(html: str, text: str) -> None:
    assert readable(html).rstrip("\n") == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ('<a href="https://example.com/a?b=c&amp;d">here</a>', "here <https://example.com/a?b=c&d>"),
        ('<a href="https://www.example.com/">example.com</a>', "example.com"),
        ('<a href="mailto:a@example.com?subject=x">a@example.com</a>', "a@example.com"),
        ('<a href="mailto:a@example.com">Ann</a>', "Ann <mailto:a@example.com>"),
        ('<a href="#top">up</a> <a href="javascript:x()">on</a> <a>none</a>', "up on none"),
        ('<a href="https://example.com/x"><img src=x></a>text', "text"),
        ('<a href="https://a.example/">one<a href="https://b.example/">two</a>', "one <https://a.example/> two"),
    ],
)
def test_a_link_has_its_address_where_the_text_does_not_say_it(html: str, text: str) -> None:
    assert " ".join(readable(html).split()) == " ".join(text.split()).replace("> two", ">two <https://b.example/>")


@pytest.mark.parametrize(
    "html",
    [
        "<head><title>No</title></head>",
        "<style>p { color: red }</style>",
        "<script>if (a < b) { x('</p>') }</script>",
        "<!-- <p>No</p> -->",
        "<!--[if mso]><p>No</p><![endif]-->",
        "<!DOCTYPE html>",
        "<div style='display:none'>No<div>No</div>No</div>",
        "<div style='color:red; DISPLAY : None !important'>No</div>",
        "<span style='font-size:0px'>No</span>",
        "<span style='font-size:0'>No<b>No</b></span>",
        "<div style='max-height:0;overflow:hidden'>No</div>",
        "<p hidden>No</p>",
        "<div style='opacity:0.0'>No</div>",
        "<template>No</template>",
    ],
)
def test_what_a_reader_does_not_see_is_left_out(html: str) -> None:
    assert readable(f"{html}<p>Yes</p>").strip() == "Yes"


def test_what_is_seen_again_in_an_element_that_is_not_stays() -> None:
    """Layouts set the size of a cell's blanks to 0, and that of its text anew."""
    assert readable("<td style='font-size:0px'> <div style='font-size:13px'>Yes</div></td>").strip() == "Yes"
    assert readable("<div style='opacity:0.5;max-height:0.5em;font-size:0.8em'>Yes</div>").strip() == "Yes"
    assert readable("<a style='mso-hide:all' href='x'>Yes</a>").strip() == "Yes"  # hidden from Outlook alone


def test_an_end_tag_in_a_cell_ends_nothing_outside_its_table() -> None:
    html = "<div style='display:none'><table><tr><td>No</div>No</td></tr></table>No</div>Yes"
    assert readable(html).strip() == "Yes"


def test_fill_of_no_width_is_removed_and_what_spells_words_stays() -> None:
    assert readable("a&#847;&zwnj;&nbsp;&#8199;&shy;&#8203;&zwnj; &#65279;b") == "a b\n"
    assert readable("می\u200cخواهم \U0001f468\u200d\U0001f469") == "می\u200cخواهم \U0001f468\u200d\U0001f469\n"


QUOTES = {
    "Gmail": '<div>Yes.</div><div class="gmail_quote"><div class="gmail_attr">El 2 mar 2026 a las 10:30, Ann (<a '
    'href="mailto:a@example.com">a@example.com</a>) escribió:<br></div><blockquote class="gmail_quote">No?<br>'
    "<blockquote>x</blockquote></blockquote></div>",
    "Apple": "<div>Yes.</div><div><br><blockquote type=cite><div>On 2 Mar 2026, at 10:30, Ann wrote:</div>No?"
    "</blockquote></div>",
    "Thunderbird": '<p>Yes.</p><div class="moz-cite-prefix">Le 02/03/2026 à 10:30, Ann a écrit :</div>'
    '<blockquote type="cite" style="border: none">No?</blockquote>',
    "Yahoo": '<div>Yes.</div><div class="yahoo_quoted"><div>Op 2 maart 2026 schreef Ann:</div><div>No?</div></div>',
    "Outlook on the web": '<div>Yes.</div><hr><div id="divRplyFwdMsg"><b>Von:</b> Ann &lt;a@example.com&gt;<br>'
    "<b>Gesendet:</b> Montag, 2. März 2026<br><b>An:</b> B<br><b>Betreff:</b> x</div><div>No?</div>",
    "Outlook, in a language that is not known": '<div>Yes.</div><div id="divRplyFwdMsg"><b>Uq:</b> Ann &lt;a@'
    "example.com&gt;<br><b>Vs:</b> 2. 3. 2026<br><b>Wt:</b> B</div><div>No?</div>",
    "Outlook": "<p class=MsoNormal>Yes.</p><div style='border:none;border-top:solid 1pt'><p class=MsoNormal><b>From:"
    "</b> Ann<br><b>Sent:</b> Monday<br><b>To:</b> B<br><b>Subject:</b> x</p></div><p class=MsoNormal>No?</p>",
}


@pytest.mark.parametrize("html", QUOTES.values(), ids=QUOTES)
def test_the_quoted_mail_is_told_from_the_reply(html: str) -> None:
    reply, quoted = apart(readable(html))
    assert reply.strip() == "Yes."
    assert "No?" in quoted


def test_an_answer_between_quotes_is_the_reply() -> None:
    html = "<p>Ann wrote:</p><blockquote type=cite>When?</blockquote><p>Now.</p><blockquote type=cite>x</blockquote>"
    assert apart(readable(html))[0].strip() == "Now."


def test_what_is_set_in_is_no_quote() -> None:
    html = "<blockquote style='margin:0 0 0 40px;border:none;padding:0px'>mine</blockquote>"
    assert readable(html).strip() == "mine"


PIECES = [
    "<",
    "<!",
    "<!-",
    "-->",
    "</",
    ">",
    "/",
    "=",
    "'",
    '"',
    "&",
    "&#",
    "&#x;",
    "<a",
    "<p>",
    "</p>",
    "<td>",
    "<li>",
]
PIECES += [
    "<table>",
    "<pre>",
    "<div",
    "<div style='display:none'>",
    "</div>",
    "<blockquote>",
    "href=",
    "<br>",
    "</style>",
]


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=30).map("".join))
def test_html_of_any_kind_is_text(html: str) -> None:
    readable(html).encode("utf-8")


HOSTILE = ["<", "<a", "<!--", "<!", "</", "<a x='", "<a =", "&", "&#1", "<b><p>", "<table><tr><td>", "<ul><li>", "</p>"]
HOSTILE += ["<div></x>", "<style>", "<a href=http://x>y", "<pre>\n", "<blockquote>", "<br>", "\xa0", "\u200d", "= "]


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", HOSTILE)
def test_a_long_page_takes_no_time_and_gives_no_more_than_it_is(piece: str) -> None:
    """The test's time limit is the assertion: what takes the square of its length takes longer."""
    html = piece * (200_000 // len(piece))
    assert len(readable(html)) <= len(html) + 1
    assert len(readable(f"<div {html}")) <= len(html)
    assert len(readable(f"<div style='{html.replace(chr(39), ';')} display")) <= len(html)


def test_a_number_of_thousands_of_digits_is_no_character() -> None:
    assert readable(f"a&#{'1' * 100_000};b") == "a\N{REPLACEMENT CHARACTER}b\n"
