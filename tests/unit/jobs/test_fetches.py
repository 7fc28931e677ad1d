"""What a command asks of the daemon by files, and what it is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from emaild.jobs.asked import Fetched, Told
from emaild.jobs.fetches import ASK_LASTS, FOLDER, TOLD_LASTS, Asking, Fetches
from tests.clock import ManualClock
from tests.said import Said


class Boxes:
    """Mailboxes that are read, and who asked for a look into them."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.asked: list[tuple[str, Told]] = []

    def ask(self, name: str, told: Told) -> bool:
        if name in self.names:
            self.asked.append((name, told))
        return name in self.names


@pytest.fixture
def boxes() -> Boxes:
    return Boxes("pop-client", "pop-client2")


@pytest.fixture
def fetches(tmp_path: Path, boxes: Boxes, clock: ManualClock) -> Fetches:
    return Fetches(tmp_path, boxes.ask, clock)


def now(path: Path, clock: ManualClock, ago: float = 0.0) -> None:
    """The file was written that many seconds ago."""
    then = clock.now().timestamp() - ago
    os.utime(path, (then, then))


def test_what_is_asked_is_told_by_section_when_it_has_ended(
    tmp_path: Path, boxes: Boxes, fetches: Fetches, clock: ManualClock, said: Said
) -> None:
    with Asking(tmp_path, ["pop-client", "pop-client2", "gone"], wait=True) as asking:
        now(asking.path, clock)
        fetches.run()
        assert [name for name, _ in boxes.asked] == ["pop-client", "pop-client2"]
        assert [(name, one.temporary) for name, one in asking.told()] == [("gone", False)]
        fetches.run()
        assert len(boxes.asked) == 2
        boxes.asked[1][1](Fetched(taken=3, left=1))
        assert list(asking.told()) == [("pop-client2", Fetched(taken=3, left=1))]
        boxes.asked[0][1](Fetched(error="no\nway", temporary=False))
        assert list(asking.told()) == [("pop-client", Fetched(error="no\nway", temporary=False))]
    assert [*(tmp_path / FOLDER).iterdir()] == []
    assert [event["section"] for event in said.all("mailbox.poll_asked")] == ["pop-client", "pop-client2"]


def test_who_does_not_wait_is_told_nothing(tmp_path: Path, boxes: Boxes, fetches: Fetches, clock: ManualClock) -> None:
    now(Asking(tmp_path, ["pop-client", "gone"], wait=False).path, clock)
    fetches.run()
    ((_, told),) = boxes.asked
    told(Fetched())
    assert [*(tmp_path / FOLDER).iterdir()] == []


def test_what_nobody_took_away_is_void_after_a_while(
    tmp_path: Path, boxes: Boxes, fetches: Fetches, clock: ManualClock
) -> None:
    """Above all what was asked of a daemon that ended: a mailbox by hand is not read at the next start."""
    folder = tmp_path / FOLDER
    now(Asking(tmp_path, ["pop-client"], wait=True).path, clock, ago=ASK_LASTS + 1)
    for name, ago in (("a.told", TOLD_LASTS + 1), ("b.told", TOLD_LASTS - 1), ("c.draft", TOLD_LASTS + 1)):
        (folder / name).touch()
        now(folder / name, clock, ago)
    fetches.run()
    assert boxes.asked == []
    assert [path.name for path in folder.iterdir()] == ["b.told"]


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", b"[]", b"7", b'{"sections": 7}', b'{"sections": [{}, null]}', b"[" * 100_000],
    ids=lambda content: repr(content[:30]),
)
def test_bytes_of_any_kind_ask_for_nothing(
    tmp_path: Path, boxes: Boxes, fetches: Fetches, clock: ManualClock, content: bytes
) -> None:
    with Asking(tmp_path, ["pop-client"], wait=True) as asking:
        asking.path.write_bytes(content)
        now(asking.path, clock)
        fetches.run()
    assert boxes.asked == []


def test_one_that_cannot_be_read_does_not_keep_others_from_being_read(
    tmp_path: Path, boxes: Boxes, fetches: Fetches, clock: ManualClock
) -> None:
    for number in range(5):
        strange = tmp_path / FOLDER / f"{number}.ask"
        strange.mkdir(parents=True)
        now(strange, clock)
    with Asking(tmp_path, ["pop-client"], wait=True) as asking:
        now(asking.path, clock)
        fetches.run()
    assert [name for name, _ in boxes.asked] == ["pop-client"]


def test_a_state_directory_without_the_folder_is_no_trouble(fetches: Fetches) -> None:
    assert fetches.run() > 0


def test_half_a_line_is_not_read(tmp_path: Path) -> None:
    with Asking(tmp_path, ["pop-client"], wait=True) as asking:
        told = asking.path.with_suffix(".told")
        told.write_bytes(b'{"section": "pop-client", "tak')
        assert list(asking.told()) == []
        with told.open("ab") as stream:
            stream.write(b'en": 1}\n')
        assert list(asking.told()) == [("pop-client", Fetched(taken=1))]
