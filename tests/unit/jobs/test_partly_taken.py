"""Mails above retrieve-limit: their beginning is taken, once, and the server keeps the rest."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from emaild.jobs.understand import LARGEST_HEADER
from emaild.message import Inbound, Interaction, Understood
from emaild.mime.cut import NOTE
from emaild.settings.mailbox import AfterFetch
from emaild.sources import BATCH_MAILS
from emaild.store import Store
from tests.clock import ManualClock
from tests.reading import Reading
from tests.said import Said
from tests.samples import mail

LIMIT = 1000
LONG = mail("Long", "This is one of many lines.\r\n" * 100)
MULTIPART = (
    b"From: ann@example.com\r\nSubject: Parts\r\nMessage-ID: <parts@example.com>\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nSee the file.\r\n'
    b'--b\r\nContent-Disposition: attachment; filename="foo.bin"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    + b"Zm9vZm9v\r\n" * 1000
    + b"--b--\r\n"
)
UNREADABLE = b"Subject: Deep\r\nMessage-ID: <deep@example.com>\r\n" + b"".join(
    b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (number, number) for number in range(3000)
)


def left(entry: Interaction) -> object:
    return entry.user_data.get(f"Header_{NOTE}")


def test_the_beginning_of_a_longer_mail_is_an_interaction_that_says_so(
    store: Store, clock: ManualClock, said: Said
) -> None:
    with Reading(store, clock, retrieve_limit=LIMIT) as reading:
        reading.mailbox.mails["1"] = LONG
        reading.mailbox.add("2")
        assert reading.run_until_done() == [reading.section.cycle_time]
        assert "fetch 1" not in " ".join(reading.mailbox.log)
    cut, whole = sorted(reading.interactions, key=lambda entry: entry.facts.subject)
    raw = store.interactions.raw(cut)
    note, _, kept = raw.partition(b"\r\n")
    assert LONG.startswith(kept)
    assert LIMIT - 30 < len(kept) <= LIMIT
    assert left(cut) == f"all but the first {len(kept)} of {len(LONG)} bytes"
    assert note.decode() == f"{NOTE}: {left(cut)}"
    assert left(whole) is None
    event = said.one("mail.partly_taken")
    assert (event["key"], event["left"]) == ("1", left(cut))


def test_parts_that_came_are_parts_and_what_is_left_of_a_file_is_its_beginning(
    store: Store, clock: ManualClock
) -> None:
    with Reading(store, clock, retrieve_limit=LIMIT) as reading:
        reading.mailbox.mails["1"] = MULTIPART
        reading.run()
    (entry,) = reading.interactions
    (part,) = entry.facts.attachments
    assert part.name == "foo.bin"
    assert 0 < part.size < LIMIT
    assert store.interactions.raw(entry).endswith(b"--b--\r\n")


@pytest.mark.parametrize("after", AfterFetch)
def test_the_rest_stays_on_the_server_whatever_becomes_of_other_mails(
    store: Store, clock: ManualClock, after: AfterFetch
) -> None:
    """It is marked and moved as others are; only deleted it is never."""
    with Reading(store, clock, after=after, retrieve_limit=LIMIT) as reading:
        reading.mailbox.mails["1"] = LONG
        reading.mailbox.add("2")
        reading.run()
        assert sorted(reading.mailbox.told) == (["2"] if after is AfterFetch.DELETE else ["1", "2"])
        assert store.interactions.unsettled(reading.section.account) == []
        reading.job = reading.restarted(clock)
        reading.run()
        assert reading.subjects == ["Long", "Mail 2"]
        assert sorted(set(reading.mailbox.told)) == (["2"] if after is AfterFetch.DELETE else ["1", "2"])


def test_the_rest_stays_where_the_connection_breaks_before_the_server_is_told_of_others(
    store: Store, clock: ManualClock
) -> None:
    """What the next turn tells it is what the store has noted as not told."""
    with Reading(store, clock, retrieve_limit=LIMIT) as reading:
        reading.mailbox.mails["1"] = LONG
        reading.mailbox.add("2")
        reading.mailbox.breaks_at_acknowledging = 1
        reading.run()
        assert reading.subjects == ["Long", "Mail 2"]
        assert store.interactions.unsettled(reading.section.account) == ["2"]
        reading.run()
        assert reading.mailbox.told == ["2"]


def test_a_server_that_gives_no_beginnings_is_asked_for_the_whole_mail(store: Store, clock: ManualClock) -> None:
    with Reading(store, clock, retrieve_limit=LIMIT) as reading:
        reading.mailbox.mails["1"] = LONG
        reading.mailbox.no_heads = True
        reading.run()
        assert reading.mailbox.told == []
    (entry,) = reading.interactions
    assert str(left(entry)).endswith(f" of {len(LONG)} bytes")
    assert len(store.interactions.raw(entry)) < LIMIT + 100


def test_a_mail_that_is_longer_than_its_server_said_is_cut_too(store: Store, clock: ManualClock) -> None:
    with Reading(store, clock, retrieve_limit=LIMIT, allow_bad_msg_size=False) as reading:
        reading.mailbox.mails["1"] = LONG
        reading.mailbox.tells["1"] = 10
        reading.run()
    (entry,) = reading.interactions
    assert left(entry)


def test_the_limit_comes_before_that_of_the_mail_itself(store: Store, clock: ManualClock, said: Said) -> None:
    with Reading(store, clock, retrieve_limit=LIMIT, maximum_msg_size=2 * LIMIT, delete_big_msg=True) as reading:
        reading.mailbox.mails["1"] = LONG
        reading.run()
        assert list(reading.mailbox.mails) == ["1"]
    assert [entry.facts.wrapped for entry in reading.interactions] == [None]
    assert said.all("mail.too_big") == []


def test_a_header_is_taken_whole_whatever_the_limit_is(store: Store, clock: ManualClock) -> None:
    raw = mail("Long").replace(b"\r\n\r\n", b"\r\nX-Long: " + b"x" * 5000 + b"\r\nX-Last: y\r\n\r\n")
    with Reading(store, clock, retrieve_limit=LIMIT) as reading:
        reading.mailbox.mails["1"] = raw
        reading.run()
    (entry,) = reading.interactions
    assert entry.user_data["Header_X-Last"] == "y"
    assert store.interactions.raw(entry).endswith(b"X-Last: y\r\n\r\n")


def test_a_header_without_an_end_is_taken_as_far_as_any(store: Store, clock: ManualClock) -> None:
    with Reading(store, clock, retrieve_limit=LIMIT) as reading:
        reading.mailbox.mails["1"] = b"Subject: Endless\r\nX: " + b"x" * (2 * LARGEST_HEADER)
        reading.run()
    (entry,) = reading.interactions
    assert LARGEST_HEADER <= len(store.interactions.raw(entry)) < LARGEST_HEADER + 100


def test_many_of_them_are_stored_many_in_a_commit(
    store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = BATCH_MAILS + 1
    commits: list[int] = []
    keep = store.interactions.keep

    def counted(account: str, mails: Sequence[tuple[Inbound, Understood]], **given: bool) -> frozenset[str]:
        commits.append(len(mails))
        return keep(account, mails, settled=given["settled"], submitted=given["submitted"])

    monkeypatch.setattr(store.interactions, "keep", counted)
    with Reading(store, clock, retrieve_limit=LIMIT, most=count) as reading:
        for number in range(count):
            reading.mailbox.mails[str(number)] = LONG.replace(b"Long", b"Long%d" % number)
        reading.run()
    assert commits == [BATCH_MAILS, 1]
    assert len(reading.interactions) == count


def test_one_that_cannot_be_read_is_not_deleted_though_the_section_deletes_such(
    store: Store, clock: ManualClock, said: Said
) -> None:
    limit = len(UNREADABLE) - 100
    with Reading(store, clock, retrieve_limit=limit, delete_bad_formatted_msg=True) as reading:
        reading.mailbox.mails["1"] = UNREADABLE
        reading.run()
        assert list(reading.mailbox.mails) == ["1"]
    assert [bool(entry.facts.wrapped) for entry in reading.interactions] == [True]
    assert said.all("mail.bad_format_deleted") == []


def test_a_beginning_that_breaks_the_connection_does_not_keep_others_from_being_taken(
    store: Store, clock: ManualClock
) -> None:
    with Reading(store, clock, retrieve_limit=LIMIT) as reading:
        reading.mailbox.mails["1"] = LONG
        reading.mailbox.add("2", "3")
        reading.mailbox.breaks_at = {"1"}
        for _ in range(20):
            reading.run()
        assert reading.subjects == ["Mail 2", "Mail 3"]
        assert reading.status.state == "ok"


def test_a_held_beginning_is_one_and_says_so_when_it_is_tried_again(
    store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Reading(store, clock, retrieve_limit=LIMIT) as reading:
        reading.mailbox.mails["1"] = LONG
        with monkeypatch.context() as broken:
            broken.setattr("emaild.mime.said.opened", lambda *_: 1 / 0)
            reading.run()
        (held,) = store.held.all()
        assert reading.interactions == []
        reading.restarted(clock)._intake.again(held)
        assert reading.mailbox.told == []
    (entry,) = reading.interactions
    assert str(left(entry)).startswith("all but the first")
