"""HTML from others' mails: it keeps its looks, and nothing in it runs, loads, or leaves its place."""

from __future__ import annotations

import pytest

from emaild.render.safe_html import safe


@pytest.mark.parametrize(
    ("page", "made"),
    [
        ("a &lt;b&gt; &amp; c", "a &lt;b&gt; &amp; c"),
        ("a < b > c & d", "a &lt; b &gt; c &amp; d"),
        ("a\ud800<b title='\udfff'>b", "a\ufffd<b>b</b>"),
        ("a <b c", "a &lt;b c"),
        ("<p>a<p>b", "<p>a</p><p>b</p>"),
        ("<B>a</B><br/>b", "<b>a</b><br>b"),
        ('<p style="color:red;position:fixed;background:url(x)">a', '<p style="color:red">a</p>'),
        ("<div dir=rtl>a</div>", '<div dir="rtl">a</div>'),
        ('<td colspan="2">a', "a"),
        ("<table><tr><td colspan='2'>a", '<table><tbody><tr><td colspan="2">a</td></tr></tbody></table>'),
        ('<a href="https://x.example/?a=1&amp;b=2">a</a>', '<a href="https://x.example/?a=1&amp;b=2"'),
        ("<html><head><title>t</title><style>p{}</style><body>a</body></html>", "a"),
        ("a<!-- <b>x --><o:p>b</o:p><![if x]>c<![endif]><?xml x?>d", "abcd"),
    ],
)
def test_looks_stay(page: str, made: str) -> None:
    assert safe(page).replace(' rel="noopener noreferrer"', "").startswith(made)


@pytest.mark.parametrize(
    "page",
    [
        "<script>1</script>",
        "<scr<script>1</script>ipt>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg><style><img src=x onerror=alert(1)></style></svg>",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
        '<p onclick="x">a',
        '<a href="javascript:alert(1)">a</a>',
        '<a href="java&#10;script:alert(1)">a</a>',
        '<a href="&#106;avascript:alert(1)">a</a>',
        '<a href="data:text/html,x">a</a>',
        "<a href='//evil.example'>a</a>",
        "<iframe src=x></iframe><object data=x><embed src=x><form action=x><input><base href=x><meta><link href=x>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
        '<p style="background-image:url(https://x)">a',
        "<b\x00 onclick=x>a",
        "<p/onclick=x>a",
        "<style><!--</style><img src=x onerror=alert(1)>-->",
        "</title><script>alert(1)",
    ],
)
def test_nothing_runs_or_loads(page: str) -> None:
    made = safe(page)
    tags = "".join(piece.partition(">")[0] for piece in made.split("<")[1:])
    for bad in ("script", "img", "on", "src", "url", "data:", "svg", "evil", "form", "base", "meta"):
        assert bad not in tags.replace("noopener", ""), made


def test_it_stays_in_its_place() -> None:
    assert safe("a</blockquote></div></body></html><b>open <i>") == "a<b>open <i></i></b>"


@pytest.mark.parametrize(
    "piece",
    [
        "<div>",
        "<b><p>",
        "<font color={}>",
        "</p>",
        "<a ",
        "<",
        '<a href="',
        "<!--",
        "<style>",
        "<table><tr><td>",
        "&#",
        "<svg>",
    ],
)
def test_very_many_tags_take_no_more_than_their_length(piece: str) -> None:
    """It would take minutes if the time grew with the square of the length."""
    page = "".join(piece.format(number) for number in range(200_000))
    assert len(safe(page + "</p>" * 200_000)) < 8 * (len(page) + 1_000_000)
    safe("<b " + page)


def test_tags_left_open_do_not_multiply() -> None:
    fonts = "".join(f"<font color={number}>" for number in range(1000))
    assert 1000 < safe(f"<p>{fonts}" + "<p>x" * 1000).count("<font") < 25_000
