"""What a transcript's XML says, with the quirks of the servers and clients that write it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from emaild.render.transcript import Entry, EntryKind, Party, PartyKind, Transcript, read
from tests.unit.render.transcript.chats import chat, event, items, joins, leaves, notes, said, says, seen

AGENT = joins("Bob", "AGENT", user="a")


def kinds(transcript: Transcript) -> list[EntryKind]:
    return [entry.kind for entry in transcript.entries]


def test_a_chat_is_who_joined_what_was_said_and_who_left() -> None:
    ann, bob = Party("Ann", PartyKind.CLIENT), Party("Bob", PartyKind.AGENT)
    found = seen(
        joins("Ann", shift=1),
        joins("Bob", "AGENT", user="a", shift=8),
        says("Hello", shift=12),
        says("Hi Ann", user="a", shift=262, attributes='treatAs="NORMAL"'),
        leaves("2", user="a", asker="a", shift=1437, text="left with request to close forcedly"),
        leaves("4", asker="a", shift=1437, text="removed by other party"),
    )
    assert found.entries == (
        Entry(EntryKind.JOIN, 1, ann),
        Entry(EntryKind.JOIN, 8, bob),
        Entry(EntryKind.MESSAGE, 12, ann, "Hello"),
        Entry(EntryKind.MESSAGE, 262, bob, "Hi Ann"),
        Entry(EntryKind.LEAVE, 1437, bob, "left with request to close forcedly", "2"),
        Entry(EntryKind.LEAVE, 1437, ann, "removed by other party", "4", bob),
    )
    assert (found.started, found.session_id) == (datetime(2024, 3, 5, 7, 9, 33, tzinfo=UTC), "0001")


def test_a_chat_lasts_to_its_last_event_even_to_one_that_is_not_shown() -> None:
    assert seen(joins(), says("x", shift=90), notes("TYPING_STARTED", "", shift=125)).duration == 125


@pytest.mark.parametrize("visibility", ["INT", "VIP", "", "none", "ALL BUT ANN"])
def test_what_is_not_for_all_is_hidden(visibility: str) -> None:
    hidden = {"visibility": visibility}
    transcript = seen(
        joins("Sue", "SUPERVISOR", "<text>hello</text>", user="s", **hidden),
        says("secret", **hidden),
        notes("PUSH_URL", "https://example.com/", **hidden),
        notes("SYS_COMMAND", "file-uploaded", items(file_name="secret.pdf"), **hidden),
        notes("USER_UPDATE_NICK", "Secret", **hidden),
        says("open", user="s"),
    )
    assert transcript.entries == (Entry(EntryKind.MESSAGE, 0, Party("Sue", PartyKind.SUPERVISOR), "open"),)


@pytest.mark.parametrize("visibility", ['visibility="all"', 'visibility=" ALL&#10;"', ""])
def test_all_is_all_however_it_is_written_and_where_nothing_is_said(visibility: str) -> None:
    assert said(seen(f'<message userId="c" {visibility}><msgText>open</msgText></message>')) == ["open"]


@pytest.mark.parametrize(
    "kind", ["USER_CUSTOM", "TYPING_STARTED", "TYPING_STOPPED", "IDLE_CONTROL_SET", "SYS_COMMAND", "NEW_IN_V200", ""]
)
def test_notices_that_are_not_for_people_are_passed_over(kind: str) -> None:
    assert kinds(seen(joins(), notes(kind, "switching to an agent"))) == [EntryKind.JOIN]


@pytest.mark.parametrize("kind", ["IDLE_CONTROL_ALERT", "IDLE_CONTROL_CLOSE"])
def test_the_systems_word_is_a_notice(kind: str) -> None:
    (entry,) = seen(notes(kind, "The chat will be closed."), notes(kind, " ")).entries
    assert (entry.kind, entry.text) == (EntryKind.NOTICE, "The chat will be closed.")


def test_a_message_to_be_treated_as_the_systems_is_a_notice_and_a_command_is_passed_over() -> None:
    found = seen(says("Wait", attributes='treatAs="SYSTEM"'), says("/run", attributes='treatAs="COMMAND"'))
    assert [(entry.kind, entry.text) for entry in found.entries] == [(EntryKind.NOTICE, "Wait")]


def test_a_second_event_of_one_number_is_passed_over() -> None:
    once = says("once").replace("eventId=?", 'eventId="7"')
    assert said(seen(once, once, once.replace('"7"', '""'), once.replace('"7"', '""'))) == ["once"] * 3


def test_a_copy_for_all_does_not_open_what_was_hidden() -> None:
    secret = says("secret", visibility="INT").replace("eventId=?", 'eventId="7"')
    assert said(seen(secret, secret.replace("INT", "ALL"))) == []


@pytest.mark.parametrize("kind", ["AGENT", "EXTERNAL"])
@pytest.mark.parametrize(
    "style",
    [
        items(GCTI_Chat_PartyStyle="BOT").replace("GCTI-Chat-PartyStyle", "GCTI_Chat_PartyStyle"),
        '<eventAttributes><item key="GCTI_SYSTEM" type="kvlist"><item key="party-info" type="kvlist">'
        '<item key="style" type="string">bot</item></item></item></eventAttributes>',
    ],
)
def test_a_bot_is_known_by_its_style(kind: str, style: str) -> None:
    assert seen(joins("Robo", kind, style)).entries[0].party == Party("Robo", PartyKind.BOT)


def test_a_client_cannot_say_that_it_is_a_bot() -> None:
    assert seen(joins("Ann", "CLIENT", items(style="BOT"))).entries[0].party.kind is PartyKind.CLIENT


@pytest.mark.parametrize("kind", ["", "CHATTER", "client ", "MESSAGE"])
def test_an_unknown_kind_of_party_is_external(kind: str) -> None:
    expected = PartyKind.CLIENT if kind.strip() == "client" else PartyKind.EXTERNAL
    assert seen(joins("X", kind)).entries[0].party.kind is expected


def test_a_name_is_one_line_and_turns_nothing_round() -> None:
    assert seen(joins(" Ann\n\u202e Lee\u2066 ")).entries[0].party.name == "Ann Lee"


def test_a_client_without_a_nick_has_the_name_of_its_form_and_others_have_none() -> None:
    form = items(FirstName="Ann", LastName="Lee")
    assert seen(joins(" ", more=form)).entries[0].party.name == "Ann Lee"
    assert seen(joins("", "AGENT", form)).entries[0].party.name == ""


def test_a_new_nick_counts_from_then_on() -> None:
    found = seen(joins(), says("a"), notes("USER_UPDATE_NICK", "Anna"), says("b"), leaves())
    assert [(entry.kind, entry.party.name) for entry in found.entries[1:]] == [
        (EntryKind.MESSAGE, "Ann"),
        (EntryKind.RENAME, "Ann"),
        (EntryKind.MESSAGE, "Anna"),
        (EntryKind.LEAVE, "Anna"),
    ]


def test_a_greeting_is_a_message_after_the_joining() -> None:
    assert kinds(seen(joins("Robo", "AGENT", "<text>Welcome</text>"))) == [EntryKind.JOIN, EntryKind.MESSAGE]


def test_a_pushed_page_is_a_link() -> None:
    (entry,) = seen(notes("PUSH_URL", " https://example.com/a?b=1&c=2\n")).entries
    assert (entry.kind, entry.text) == (EntryKind.LINK, "https://example.com/a?b=1&c=2")


def test_files_have_names_and_sizes_and_deleted_ones_say_so() -> None:
    found = seen(
        notes("SYS_COMMAND", "file-uploaded", items(file_name="a.pdf", file_size="2048", file_id="1")),
        notes("SYS_COMMAND", "file-uploaded", items(file_name="b.pdf", file_size="7", file_document_id="2")),
        notes("SYS_COMMAND", "file-uploaded", items("eventAttributes", file_name="c.pdf", file_size="7", file_id="3")),
        notes("SYS_COMMAND", "file-deleted", items(file_id="1")),
        notes("SYS_COMMAND", "file-deleted", items(file_document_id="2")),
        notes("SYS_COMMAND", "file-deleted", items(file_id="9")),
        notes("SYS_COMMAND", "file-downloaded", items(file_id="3")),
    )
    assert [(entry.kind, entry.text, entry.size, entry.deleted) for entry in found.entries] == [
        (EntryKind.FILE, "a.pdf", 2048, True),
        (EntryKind.FILE, "b.pdf", 7, True),
        (EntryKind.FILE, "c.pdf", 7, False),
    ]


@pytest.mark.parametrize("size", ["", "-1", "1.5", "x", "9" * 5000])
def test_a_file_whose_size_is_no_number_has_none(size: str) -> None:
    (entry,) = seen(notes("SYS_COMMAND", "file-uploaded", items(file_name="a.pdf", file_size=size))).entries
    assert (entry.text, entry.size) == ("a.pdf", None)


def test_events_are_told_in_the_order_of_their_times_and_numbers() -> None:
    late, early = says("3", shift=9), says("1", shift=2)
    second = says("2", shift=9).replace("eventId=?", 'eventId="0"')
    assert said(seen(late, early, second)) == ["1", "2", "3"]


@pytest.mark.parametrize("shift", ["", "soon", "-5", "1e3", "9" * 5000, "99999999999"])
def test_a_time_that_is_none_is_that_of_the_event_before(shift: str) -> None:
    found = seen(says("a", shift=7), says("b", shift=shift), says("c", shift=8))
    assert [(entry.text, entry.shift) for entry in found.entries] == [("a", 7), ("b", 7), ("c", 8)]


@pytest.mark.parametrize(
    ("offset", "form", "minutes"),
    [
        ("300", "", 300),
        ("-210", "60", -210),
        ("\n720", "", 720),
        ("0", "720", 720),  # as a web client sends them from New Zealand
        ("", "-300", -300),
        ("x", "60", 60),
        ("99999", "60", 60),
        ("0", "0", 0),
        ("0", "Europe/Paris", 0),
    ],
)
def test_the_zone_is_that_of_the_first_client(offset: str, form: str, minutes: int) -> None:
    found = seen(
        joins("Robo", "AGENT", zone="60", user="a"),
        joins(zone=offset, more=items(TimeZone=form), shift=1),
        joins("Eve", zone="-60", user="e", shift=2),
    )
    assert found.started is not None
    assert found.zone.utcoffset(None) == found.started.utcoffset() == timedelta(minutes=minutes)
    assert found.started == datetime(2024, 3, 5, 7, 9, 33, tzinfo=UTC)


def test_the_subject_is_the_first_clients_else_the_interactions() -> None:
    mine, other = items(Subject=" My\nbill "), items(Subject="Other")
    assert seen(AGENT, joins(more=mine), joins("Eve", user="e", more=other), subject="Chat").subject == "My bill"
    assert seen(joins(), joins("Eve", user="e", more=other), subject="Chat ").subject == "Chat"


@pytest.mark.parametrize("started", ["", "yesterday", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2024-13-01"])
def test_a_chat_that_does_not_say_when_it_began_is_read_all_the_same(started: str) -> None:
    found = read(chat(joins(zone="-720"), says("x", shift=60), started=started))
    assert (found.started, found.duration, said(found)) == (None, 60, ["x"])


@pytest.mark.parametrize("started", ["2024-03-05T07:09:33", "2024-03-05T08:09:33+01:00", "2024-03-05T07:09:33.000Z\n"])
def test_a_start_may_have_another_zone_or_none(started: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as there:
        there.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        assert read(chat(joins(), started=started)).started == datetime(2024, 3, 5, 7, 9, 33, tzinfo=UTC)
    time.tzset()


def test_line_breaks_in_attributes_and_text_between_elements_do_not_matter() -> None:
    message = event(
        "message", "1.\n<msgText>Hi\r\nyou\n\n</msgText>\n2.\n3.", user="\nc\n", visibility="ALL\n", shift="\n5"
    )
    found = read(chat(joins(), "stray & text".replace("&", "&amp;"), message))
    assert found.entries[-1] == Entry(EntryKind.MESSAGE, 5, Party("Ann", PartyKind.CLIENT), "Hi\nyou")


def test_events_without_attributes_and_unknown_elements_are_no_trouble() -> None:
    bare = "<newParty/><message/><message><msgText>x</msgText></message><notice/><partyLeft/><typing/><a><b/></a>"
    assert kinds(seen(bare)) == [EntryKind.JOIN, EntryKind.MESSAGE, EntryKind.LEAVE]


def test_a_message_in_a_namespace_or_with_markup_is_read() -> None:
    message = "<c:message><c:msgText>a <b>b</b> c</c:msgText></c:message>"
    assert said(read(f'<c:chatTranscript xmlns:c="urn:x">{message}</c:chatTranscript>')) == ["a b c"]
