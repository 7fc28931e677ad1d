"""Conf files are watched however they are changed. Only the quiet after a change is not waited for."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emaild.reloader import FileWatch, Reloader, names_by_folder
from emaild.settings.load import current_digest
from tests.clock import ManualClock
from tests.said import Said
from tests.servers.wait import eventually

QUIET = 1.0


class Watching:
    """Conf files, watched as a daemon does it that has read them."""

    def __init__(self, conf: Path, clock: ManualClock) -> None:
        self.conf = conf
        self.clock = clock
        self.in_effect = current_digest(conf)
        self.reloader = Reloader(lambda: current_digest(conf), clock, QUIET, lambda: self.in_effect)
        self.watch = FileWatch(self.reloader.touch)
        assert self.watch.follow(conf)

    def touched(self) -> None:
        """Wait for the system to tell of what was done, and let the quiet pass."""
        eventually(lambda: self.reloader.due_in() is not None)
        self.clock.advance(QUIET)
        assert self.reloader.due_in() == 0

    def wanted(self) -> bool:
        """Whether what was done is to be read; it is in effect then."""
        self.touched()
        wanted = self.reloader.wanted()
        if wanted:
            self.in_effect = current_digest(self.conf)
            self.reloader.accepted()
        return wanted


@pytest.fixture
def watching(clock: ManualClock) -> Iterator[Callable[[Path], Watching]]:
    made: list[Watching] = []

    def make(conf: Path) -> Watching:
        made.append(Watching(conf, clock))
        return made[-1]

    yield make
    for one in made:
        one.watch.stop()


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    path = tmp_path / "etc" / "emaild.conf"
    path.parent.mkdir()
    path.write_text("[log]\n")
    return path


def in_place(conf: Path, text: str) -> None:
    conf.write_text(text)


def appended(conf: Path, text: str) -> None:
    with conf.open("a") as file:
        file.write(text)


def renamed(conf: Path, text: str) -> None:
    draft = conf.with_suffix(".tmp")
    draft.write_text(text)
    draft.replace(conf)


def renamed_from_elsewhere(conf: Path, text: str) -> None:
    draft = conf.parent.parent / "draft"
    draft.write_text(text)
    draft.replace(conf)


def like_vim(conf: Path, text: str) -> None:
    backup = conf.with_name("emaild.conf~")
    conf.rename(backup)
    conf.write_text(text)
    backup.unlink()


def removed_and_made_anew(conf: Path, text: str) -> None:
    conf.unlink()
    conf.write_text(text)


def hard_linked(conf: Path, text: str) -> None:
    draft = conf.with_name("draft")
    draft.write_text(text)
    conf.unlink()
    os.link(draft, conf)


@pytest.mark.parametrize(
    "edit",
    [in_place, appended, renamed, renamed_from_elsewhere, like_vim, removed_and_made_anew, hard_linked],
    ids=lambda edit: edit.__name__,
)
def test_an_edited_file_is_read_again_however_the_editor_writes(
    watching: Callable[[Path], Watching], conf: Path, edit: Callable[[Path, str], None]
) -> None:
    watched = watching(conf)
    for number in range(3):
        edit(conf, f"[log]\n# {number}\n")
        assert watched.wanted(), number


def test_a_link_that_is_set_anew_is_followed_and_so_is_what_it_leads_to(
    watching: Callable[[Path], Watching], tmp_path: Path
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "real.conf").write_text(f"# {name}\n")
    conf = tmp_path / "etc" / "emaild.conf"
    conf.parent.mkdir()
    conf.symlink_to("../a/real.conf")
    watched = watching(conf)
    in_place(tmp_path / "a/real.conf", "# edited\n")
    assert watched.wanted()

    (conf.parent / "new").symlink_to("../b/real.conf")
    (conf.parent / "new").rename(conf)
    assert watched.wanted()
    renamed(tmp_path / "b/real.conf", "# edited again\n")
    assert watched.wanted()


def test_a_folder_that_is_swapped_by_its_link_is_followed(watching: Callable[[Path], Watching], tmp_path: Path) -> None:
    """A mounted ConfigMap: emaild.conf -> ..data/emaild.conf, and ..data -> a folder of the day."""
    for version in ("..1", "..2", "..3"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "emaild.conf").write_text(f"# {version}\n")
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "emaild.conf").symlink_to("..data/emaild.conf")
    watched = watching(tmp_path / "emaild.conf")
    for version in ("..2", "..3"):
        (tmp_path / "..data_tmp").symlink_to(version)
        (tmp_path / "..data_tmp").rename(tmp_path / "..data")
        assert watched.wanted(), version
    in_place(tmp_path / "..3/emaild.conf", "# edited after all\n")
    assert watched.wanted()


def test_a_link_above_the_folder_is_followed(watching: Callable[[Path], Watching], tmp_path: Path) -> None:
    for release in ("one", "two"):
        (tmp_path / release / "etc").mkdir(parents=True)
        (tmp_path / release / "etc/emaild.conf").write_text(f"# {release}\n")
    (tmp_path / "current").symlink_to("one")
    watched = watching(tmp_path / "current/etc/emaild.conf")
    (tmp_path / "next").symlink_to("two")
    (tmp_path / "next").rename(tmp_path / "current")
    assert watched.wanted()
    in_place(tmp_path / "two/etc/emaild.conf", "# edited\n")
    assert watched.wanted()


def test_files_of_conf_d_that_come_change_and_go_are_seen(watching: Callable[[Path], Watching], conf: Path) -> None:
    part = conf.parent / "conf.d" / "a.conf"
    part.parent.mkdir()
    watched = watching(conf)
    part.write_text("[store]\n")
    assert watched.wanted()
    in_place(part, "[store]\n# edited\n")
    assert watched.wanted()
    part.unlink()
    assert watched.wanted()


def test_a_conf_d_that_is_made_later_is_watched_too(watching: Callable[[Path], Watching], conf: Path) -> None:
    watched = watching(conf)
    (conf.parent / "conf.d").mkdir()
    assert not watched.wanted()
    (conf.parent / "conf.d/a.conf").write_text("[store]\n")
    assert watched.wanted()
    (conf.parent / "conf.d/a.conf").unlink()
    assert watched.wanted()
    (conf.parent / "conf.d").rmdir()
    assert not watched.wanted()
    (conf.parent / "conf.d").mkdir()
    assert not watched.wanted()
    (conf.parent / "conf.d/b.conf").write_text("[store]\n")
    assert watched.wanted()


def test_a_conf_d_that_is_a_link_is_watched(watching: Callable[[Path], Watching], conf: Path) -> None:
    for name in ("parts", "other parts"):
        (conf.parent.parent / name).mkdir()
    (conf.parent / "conf.d").symlink_to("../parts")
    watched = watching(conf)
    (conf.parent.parent / "parts/a.conf").write_text("[store]\n")
    assert watched.wanted()
    (conf.parent / "conf.d").unlink()
    (conf.parent / "conf.d").symlink_to("../other parts")
    assert watched.wanted()
    (conf.parent.parent / "other parts/b.conf").write_text("[store]\n")
    assert watched.wanted()


def test_a_folder_given_as_conf_is_watched(watching: Callable[[Path], Watching], conf: Path) -> None:
    watched = watching(conf.parent)
    in_place(conf, "# edited\n")
    assert watched.wanted()


@pytest.mark.parametrize("edit", [in_place, renamed, like_vim], ids=lambda edit: edit.__name__)
def test_the_same_content_written_again_is_no_change(
    watching: Callable[[Path], Watching], conf: Path, edit: Callable[[Path, str], None]
) -> None:
    watched = watching(conf)
    edit(conf, "[log]\n")
    assert not watched.wanted()


def test_what_else_lies_there_is_no_change(watching: Callable[[Path], Watching], conf: Path) -> None:
    watched = watching(conf)
    (conf.parent / "emaild.log").write_text("x")
    in_place(conf, "[log]\n")
    assert not watched.wanted()


def test_what_else_lies_there_costs_nothing_but_a_look_at_its_name(conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touches: list[None] = []
    looks: list[None] = []
    watch = FileWatch(lambda: touches.append(None))
    assert watch.follow(conf)
    look = FileWatch._look_for_folders
    monkeypatch.setattr(FileWatch, "_look_for_folders", lambda *given: looks.append(None) or look(*given))  # type: ignore[func-returns-value]
    for number in range(200):
        with (conf.parent / "emaild.log").open("a") as log:
            log.write(f"{number}\n")
        (conf.parent / f"emaild.db-wal{number}").touch()
        (conf.parent / f"emaild.db-wal{number}").rename(conf.parent / "old")
    in_place(conf, "[log]\nall = stderr\n")  # events come in their order
    eventually(lambda: bool(touches))
    watch.stop()
    assert 0 < len(touches) < 10
    assert looks == []


def test_folders_are_looked_for_when_a_folder_or_a_link_changes_and_not_for_each_file(
    conf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touches: list[None] = []
    looks: list[None] = []
    more = conf.parent / "conf.d"
    more.mkdir()
    watch = FileWatch(lambda: touches.append(None))
    assert watch.follow(conf)
    look = FileWatch._look_for_folders
    monkeypatch.setattr(FileWatch, "_look_for_folders", lambda *given: looks.append(None) or look(*given))  # type: ignore[func-returns-value]
    for number in range(200):
        (more / "draft").write_text("[log]\n")
        (more / "draft").rename(more / f"{number}.conf")
        (more / f"{number}.conf").write_text("[log]\n\n")
    eventually(lambda: len(touches) >= 600)
    assert looks == []
    for change in ((more / "folder").mkdir, lambda: (more / "link.conf").symlink_to(more / "folder" / "x")):
        before = len(looks)
        change()  # type: ignore[no-untyped-call]
        eventually(lambda before=before: len(looks) > before)  # type: ignore[misc]
    watch.stop()


def test_a_file_that_is_renamed_away_or_written_by_another_name_of_its_own_counts(
    watching: Callable[[Path], Watching], conf: Path
) -> None:
    watched = watching(conf)
    conf.rename(conf.parent / "away")
    assert watched.wanted()
    (conf.parent / "away").rename(conf)
    assert watched.wanted()


def test_a_file_that_a_pattern_may_mean_counts_by_whatever_name(
    watching: Callable[[Path], Watching], conf: Path, tmp_path: Path
) -> None:
    sites = tmp_path / "sites"
    sites.mkdir()
    conf.write_text(f"[emaild]\ninclude = {sites}/*.ini\n")
    watched = watching(conf)
    watched.watch.follow(conf, (sites / "any.conf",))
    (sites / "new.ini").write_text("[log]\n")
    assert watched.wanted()


def test_reading_the_files_is_no_change(conf: Path) -> None:
    touches: list[None] = []
    watch = FileWatch(lambda: touches.append(None))
    assert watch.follow(conf)
    for _ in range(50):
        current_digest(conf)
    in_place(conf, "[log]\n")  # events come in their order, and this one makes a handful
    eventually(lambda: bool(touches))
    watch.stop()
    assert len(touches) < 10


def test_links_that_lead_round_in_a_circle_end_somewhere(conf: Path) -> None:
    (conf.parent / "conf.d").symlink_to("conf.d/x")
    (conf.parent / "a").symlink_to("b")
    (conf.parent / "b").symlink_to("a")
    assert conf.parent in names_by_folder(conf)
    assert conf.parent in names_by_folder(conf.parent / "a")


def test_only_names_of_files_and_links_matter(conf: Path, tmp_path: Path) -> None:
    (tmp_path / "two").mkdir()
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two/emaild.conf").symlink_to("real.conf")
    (tmp_path / "two/real.conf").write_text("[log]\n")
    here = {"emaild.conf", "conf.d"}
    assert names_by_folder(conf) == {conf.parent: here}
    linked = names_by_folder(tmp_path / "one/emaild.conf")
    assert linked == {tmp_path: {"one", "two"}, tmp_path / "two": {*here, "real.conf"}}


def test_where_the_system_cannot_watch_that_is_told_and_nothing_is_left_behind(conf: Path, said: Said) -> None:
    (conf.parent / "conf.d").mkdir()
    before = threading.enumerate()
    watch = FileWatch(lambda: None)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Room for one more descriptor: too little to watch anything.
    lowest_free = os.dup(0)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free + 1, hard))
    try:
        assert not watch.follow(conf)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert said.one("watch.failed")["reason"]
    watch.stop()
    assert [thread for thread in threading.enumerate() if thread not in before] == []
    assert watch.follow(conf), "it can be tried again"
    assert not watch.follow(conf), "it is watched already"
    watch.stop()


WITHOUT_RIGHTS = """
import sys, threading
from pathlib import Path
from emaild.reloader import FileWatch

told = threading.Event()
watch = FileWatch(told.set)
conf = Path(sys.argv[1])
watch.follow(conf)
folder = conf.parent / "conf.d"
folder.mkdir(mode=0)
assert told.wait(30)
told.clear()
folder.chmod(0o700)
assert told.wait(30)
while told.is_set():  # what the folder itself has told of is over
    told.clear()
    told.wait(0.3)
(folder / "a.conf").write_text("[log]\\n")
assert told.wait(30)
watch.stop()
"""


def test_a_folder_that_may_not_be_read_at_first_is_watched_once_it_may(conf: Path) -> None:
    """Root may read anything: here it may not."""
    command = [sys.executable, "-c", WITHOUT_RIGHTS, str(conf)]
    if os.geteuid() == 0:
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
