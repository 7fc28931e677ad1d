"""Standard responses filled: nothing that comes with a value is anything but words, and all is filled or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from emaild.render.field_codes import SavedCode, Scope
from emaild.render.response import ExtReply, ResponseWrong, load, rendered
from tests.unit.render.response.folders import SHIPPED, filled
from tests.unit.render.transcript.chats import joins, says, seen
from tests.unit.render.transcript.responses import TAG

CHAT = seen(joins("Ann"), says("[ExtAgentReply] <$1$> [ChatTranscript] {{ 1 }}"))
REPLY = ExtReply(text="\nyes & <no>\n\n  [ChatTranscript] [ExtAgentReply] <$1$> " + TAG.format("yyyy") + "\n\n")
TEXT_REPLY = REPLY.text.strip("\n")
NAME = "<$Contact.FirstName$>"


def named(name: str) -> Scope:
    return Scope(contact={"FirstName": name})


def test_field_codes_are_filled_in_all_parts_and_values_escaped_in_html(tmp_path: Path) -> None:
    found = filled(tmp_path, named("<A&B>"), subject=f"Hi {NAME}", text=f"Hi {NAME}\n", html=f"<p>Hi {NAME}</p>")
    assert (found.subject, found.text, found.html) == ("Hi <A&B>", "Hi <A&B>\n", "<p>Hi &lt;A&amp;B&gt;</p>")


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r", "\x0b", "\x85", "\u2028", "\0"])
def test_a_subject_is_one_line(tmp_path: Path, line_end: str) -> None:
    assert filled(tmp_path, named(f"Ann{line_end}Bcc: x"), subject=f"{NAME}!", text="x").subject == "Ann Bcc: x!"


def test_nothing_but_codes_and_tags_is_interpreted(tmp_path: Path) -> None:
    text = "{{ 7 * 7 }} {% x %} ${HOME} %s \\1 \\n &amp;"
    found = filled(tmp_path, named("{{ 7 }}"), subject=text, text=text + NAME, html=text)
    assert (found.subject, found.text, found.html) == (text, text + "{{ 7 }}", text)


@pytest.mark.parametrize(
    "name",
    [
        "[ChatTranscript]",
        "[ExtAgentReply]",
        "[ extagentreply ]",
        TAG.format("yyyy"),
        "<Genesys_Chat_Transcript",
        "</Timestamp>",
        "&lt;Timestamp&gt;",
        "&#60;Timestamp>",
        "\ufdd8reply;",
    ],
)
def test_a_tag_in_a_value_is_words(tmp_path: Path, name: str) -> None:
    text = f"{NAME} > (TAG) {NAME}"
    for tag, given in (("[ChatTranscript]", {"transcript": CHAT}), ("[ExtAgentReply]", {"ext_reply": REPLY})):
        found = filled(tmp_path, named(name), text=text.replace("TAG", tag), **given)
        assert found.text.startswith(f"{name} > (")
        assert found.text.endswith(f") {name}")
        assert "Ann" in found.text or TEXT_REPLY in found.text
    assert filled(tmp_path, named(name), text=NAME).text == name


def test_a_value_and_the_text_around_it_make_no_tag(tmp_path: Path) -> None:
    assert filled(tmp_path, named("ChatTranscript"), text=f"[{NAME}]").text == "[ChatTranscript]"
    assert filled(tmp_path, named("Timestamp"), text=f"<{NAME}>", html=f"[{NAME}]").text == "<Timestamp>"


def test_chat_and_reply_stand_at_their_tags_and_are_not_read_again(tmp_path: Path) -> None:
    text = "a\n[ChatTranscript]\nb\n  [extagentreply]  \nc"
    found = filled(tmp_path, text=text, html=text, transcript=CHAT, ext_reply=REPLY)
    assert found.text.startswith("a\nChat transcript\n")
    assert found.text.endswith(f"\nb\n  {TEXT_REPLY}  \nc")
    assert "Ann: [ExtAgentReply] <$1$> [ChatTranscript] {{ 1 }}\n" in found.text
    assert "[ExtAgentReply] &lt;$1$&gt; [ChatTranscript] {{ 1 }}" in found.html
    assert "\nb\n  yes &amp; &lt;no&gt;<br>\n<br>\n  [ChatTranscript] [ExtAgentReply] &lt;$1$&gt; &lt;" in found.html


def test_html_of_a_reply_is_made_safe(tmp_path: Path) -> None:
    reply = ExtReply(text="t", html='<b onclick="x">yes</b></blockquote><script>1</script><img src="http://x/">')
    found = filled(tmp_path, text="[ExtAgentReply]", html="<blockquote>[ExtAgentReply]</blockquote>", ext_reply=reply)
    assert (found.text, found.html) == ("t", "<blockquote><b>yes</b></blockquote>")


def test_a_reply_without_a_tag_stands_at_the_end_of_each_part(tmp_path: Path) -> None:
    found = filled(tmp_path, text="Hello\n", html="<body>Hello</BODY></html>", ext_reply=ExtReply(text="yes"))
    assert (found.text, found.html) == ("Hello\n\nyes\n", "<body>Hello<div>yes</div></BODY></html>")
    assert filled(tmp_path, html="<p>Hello</p>", ext_reply=ExtReply(text="yes")).html == "<p>Hello</p><div>yes</div>"


def test_a_part_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    assert filled(tmp_path / "a", text="x", ext_reply=REPLY, transcript=CHAT).html == ""
    assert filled(tmp_path / "b", html="x", ext_reply=REPLY, transcript=CHAT).text == ""


@pytest.mark.parametrize(
    ("tag", "wrong"),
    [
        ("[ChatTranscript]", "a tag asks for a chat transcript; none is given"),
        (TAG, "a tag asks for a chat transcript; none is given"),
        ("[ExtAgentReply]", "[ExtAgentReply] asks for an external resource's reply; none is given"),
    ],
)
def test_a_tag_without_what_it_asks_for_is_a_fault(tmp_path: Path, tag: str, wrong: str) -> None:
    with pytest.raises(ResponseWrong) as refused:
        filled(tmp_path, text=f"a\n{tag}", html=tag)
    folder = tmp_path / "responses/r"
    assert str(refused.value).split("\n") == [f"{folder}/body.txt:2: {wrong}", f"{folder}/body.html:1: {wrong}"]


def test_a_code_that_cannot_be_filled_keeps_the_whole_from_being_sent(tmp_path: Path) -> None:
    with pytest.raises(ResponseWrong) as refused:
        filled(tmp_path, subject="<$nix$>", text="fine", html="a\n<$1/0$>")
    folder = tmp_path / "responses/r"
    wrong = "nix is unknown; expected a listed property or the name of a custom value"
    assert str(refused.value).split("\n") == [
        f"{folder}/response.conf:2: [response] subject: {wrong}",
        f"{folder}/body.html:2: this divides by zero; expected another number",
    ]


def test_saved_codes_may_hold_markup_and_tags(tmp_path: Path) -> None:
    scope = Scope(custom={"end": SavedCode("<b>Bye</b> [ExtAgentReply]"), "said": "<i>[ExtAgentReply]</i>"})
    found = filled(tmp_path, scope, html="<$end$> <$said$>", ext_reply=ExtReply(text="yes"))
    assert found.html == "<b>Bye</b> yes &lt;i&gt;[ExtAgentReply]&lt;/i&gt;"


def test_a_wrong_timestamp_is_noticed(tmp_path: Path) -> None:
    found = filled(tmp_path, text=TAG.format("bad"), transcript=CHAT)
    assert [notice.pattern for notice in found.notices] == ["bad"]


@pytest.mark.parametrize("name", ["acknowledgement", "chat-transcript", "external-reply"])
def test_the_shipped_responses_can_be_sent_with_nothing_known_of_the_customer(name: str) -> None:
    response = load(name, (SHIPPED,))
    chat = CHAT if name == "chat-transcript" else None
    reply = REPLY if name == "external-reply" else None
    for scope, greeting in ((Scope(), "Hello,"), (named("Ann & Bob"), "Dear Ann & Bob,")):
        found = rendered(response, scope, transcript=chat, ext_reply=reply, folders=(SHIPPED,))
        assert found.text.startswith(greeting)
        assert f"<p>{greeting.replace('&', '&amp;')}</p>" in found.html
        assert TEXT_REPLY in found.text or not reply


def test_very_many_tags_and_values_take_no_more_than_their_length(tmp_path: Path) -> None:
    """It would take minutes if the time grew with the square of the length."""
    text = NAME + "[ExtAgentReply]" * 20_000
    found = filled(tmp_path, named("[ChatTranscript]" * 100_000), text=text, ext_reply=ExtReply(text="&\n" * 500_000))
    assert found.text.count("[ChatTranscript]") == 100_000
    assert found.text.count("&") == 10 * 500_000
