"""Changing what lies in conf.d: checked first, whole, by one at a time."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from emaild import disk
from emaild.errors import ConfigError, Conflict, InputError
from emaild.provision import conf_files, conf_folder
from emaild.provision.conf_files import Content, NotTakenBack, changing
from emaild.settings.ini import Fault, Place
from emaild.settings.load import Settings, load
from tests.privileges import as_nobody
from tests.servers.presence import require_root

MAIN = "[pop-client]\nserver = localhost\nmailbox = ann\npassword = hunter2\n"
WAY = b"[smtp-client]\nserver = localhost\n"
OTHER = b"[smtp-client-other]\nserver = localhost\n"


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    path = tmp_path / "emaild.conf"
    path.write_text(MAIN, encoding="utf-8")
    path.chmod(0o640)
    return path


def lying(conf: Path) -> dict[str, bytes]:
    """What lies in conf.d, hidden files too."""
    folder = conf.parent / "conf.d"
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


def test_a_new_file_counts_at_once(conf: Path) -> None:
    with changing(conf) as files:
        assert files.read("way.conf") is None
        settings = files.write({"way.conf": Content(WAY)})
        assert files.read("way.conf") == WAY
    assert [*settings.ways_out] == ["smtp-client"]
    assert settings == load(conf)
    assert lying(conf) == {"way.conf": WAY}


def test_what_would_be_wrong_is_refused_as_check_refuses_it_and_nothing_is_changed(conf: Path) -> None:
    with changing(conf) as files:
        files.write({"way.conf": Content(WAY)})
        with pytest.raises(ConfigError) as refused:
            files.write({"way.conf": Content(b"# new\n[smtp-client]\nserver =\nprot = 25\n"), "a.conf": Content(OTHER)})
    assert lying(conf) == {"way.conf": WAY}
    (conf.parent / "conf.d/way.conf").write_bytes(b"# new\n[smtp-client]\nserver =\nprot = 25\n")
    with pytest.raises(ConfigError) as checked:
        load(conf)
    assert refused.value.lines == checked.value.lines


def test_what_floors_above_find_wrong_is_refused_too(conf: Path) -> None:
    def also(settings: Settings) -> Iterator[Fault]:
        yield from (Fault(Place(conf, 1), name, "", "not this") for name in settings.ways_out)

    with changing(conf, also) as files:
        with pytest.raises(ConfigError, match=r"\[smtp-client\] not this|\[smtp-client\]: not this"):
            files.write({"way.conf": Content(WAY)})
        assert lying(conf) == {}


def test_what_mends_a_wrong_conf_file_is_taken(conf: Path) -> None:
    with changing(conf) as files:
        files.write({"way.conf": Content(WAY)})
    (conf.parent / "conf.d/way.conf").write_text("wrong")
    with changing(conf) as files:
        assert files.write({"way.conf": None}).ways_out == {}
    assert lying(conf) == {}


def test_a_password_file_is_there_before_the_conf_file_that_names_it(conf: Path) -> None:
    named = f"[smtp-client]\nserver = localhost\nuser = ann\npassword = file:{conf.parent}/conf.d/ann.password\n"
    with changing(conf) as files:
        settings = files.write({"a.conf": Content(named.encode()), "ann.password": Content(b"hunter3", secret=True)})
        password = settings.ways_out["smtp-client"].password
        assert password is not None
        assert password.reveal() == "hunter3"
        files.write({"a.conf": None, "ann.password": None})
    assert lying(conf) == {}


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
@pytest.mark.parametrize("at", range(1, 8))
def test_what_ends_it_on_the_way_leaves_each_file_as_it_was(
    conf: Path, monkeypatch: pytest.MonkeyPatch, at: int, error: BaseException
) -> None:
    before = {"a.conf": b"# kept\n" + WAY, "gone.conf": b"# old\n", "s.password": b"old"}
    with changing(conf) as files:
        files.write({name: Content(data) for name, data in before.items()})
        stamps = {path: path.stat().st_ino for path in files.folder.iterdir()}
        left = at
        real = disk.sync

        def sync(path: Path) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise error
            real(path)

        monkeypatch.setattr(conf_files, "sync", sync)
        changes = {"a.conf": Content(WAY), "new.conf": Content(OTHER), "gone.conf": None, "s.password": Content(b"new")}
        with pytest.raises((KeyboardInterrupt, InputError)):
            files.write(changes)
        assert left <= 0
        assert lying(conf) == before
        assert stamps == {path: path.stat().st_ino for path in files.folder.iterdir()}


def failing(monkeypatch: pytest.MonkeyPatch, *, at: int, does: Callable[[], None]) -> list[Path]:
    """Let that happen when something is put on the disk the n-th time; what was put there is in the list."""
    real, seen = disk.sync, []

    def sync(path: Path) -> None:
        seen.append(path)
        if len(seen) == at:
            does()
        real(path)

    monkeypatch.setattr(conf_files, "sync", sync)
    return seen


OLD = {"a.conf": b"# kept\n" + WAY, "b.conf": OTHER, "s.password": b"old"}
CHANGES = {"a.conf": Content(WAY), "b.conf": None, "s.password": Content(b"new")}


def test_an_impatient_person_gets_each_file_as_it_was_too(conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second Ctrl-C comes while files are put back after the first."""
    real = os.replace

    def replace(old: str, new: Path) -> None:
        if interrupted:
            os.kill(os.getpid(), signal.SIGINT)
        real(old, new)

    def interrupt() -> None:
        interrupted.append(True)
        raise KeyboardInterrupt

    interrupted: list[bool] = []
    with changing(conf) as files:
        files.write({name: Content(data) for name, data in OLD.items()})
        seen = failing(monkeypatch, at=5, does=interrupt)
        monkeypatch.setattr(os, "replace", replace)
        with pytest.raises(KeyboardInterrupt):
            files.write(CHANGES)
        assert lying(conf) == OLD
        assert len(seen) == 6, "what is put back is on the disk, too"


def test_what_cannot_be_put_back_is_named_and_kept_and_all_others_are_as_they_were(
    conf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = conf.parent / "conf.d"

    def fail() -> None:
        (folder / "a.conf").unlink()
        (folder / "a.conf/in").mkdir(parents=True)
        raise OSError(5, "Input/output error")

    with changing(conf) as files:
        files.write({name: Content(data) for name, data in OLD.items()})
        failing(monkeypatch, at=5, does=fail)
        with pytest.raises(NotTakenBack, match=r"not taken back: look at a\.conf \(it was a\.conf\.old\) in") as told:
            files.write(CHANGES)
        assert "nothing was changed" not in str(told.value)
    with changing(conf):
        left = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert left == {**{name: OLD[name] for name in ("b.conf", "s.password")}, "a.conf.old": OLD["a.conf"]}


def test_what_fails_when_all_is_on_the_disk_is_no_failure(conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(disk, "sync", fail)  # that of `written`, when it closes
    with changing(conf) as files:
        settings = files.write({"way.conf": Content(WAY)})
        assert (lying(conf), [*settings.ways_out]) == ({"way.conf": WAY}, ["smtp-client"])


def test_the_rights_of_a_file_are_on_the_disk_before_its_name(conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes = []

    def sync(path: Path) -> None:
        modes.append(None if path.is_dir() else stat.S_IMODE(path.stat().st_mode))

    with changing(conf) as files:
        monkeypatch.setattr(conf_files, "sync", sync)
        files.write({"way.conf": Content(WAY)})
    assert modes == [0o640, None]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_process_that_is_ended_puts_everything_back(conf: Path, number: signal.Signals) -> None:
    script = f"""
import os
from pathlib import Path
from typing import Any
from emaild.provision import conf_files
with conf_files.changing(Path({str(conf)!r})) as files:
    files.write({{"a.conf": conf_files.Content({WAY!r})}})
    conf_files.sync = lambda path: path.is_dir() and os.kill(os.getpid(), {int(number)})
    files.write({{"a.conf": conf_files.Content({OTHER!r}), "b.conf": conf_files.Content({OTHER!r})}})
"""
    ended = subprocess.run([sys.executable, "-c", script], check=False, timeout=60, capture_output=True)
    assert (ended.returncode != 0, b"KeyboardInterrupt" in ended.stderr) == (True, True)
    assert lying(conf) == {"a.conf": WAY}


def test_signals_do_again_what_they_did_before(conf: Path) -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with changing(conf):
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN, "nohup stays what it is"
            assert signal.getsignal(signal.SIGTERM) != before[signal.SIGTERM]
        assert signal.getsignal(signal.SIGTERM) == before[signal.SIGTERM]
    finally:
        signal.signal(signal.SIGHUP, before[signal.SIGHUP])


def test_a_process_that_is_killed_between_two_files_leaves_what_can_be_loaded(conf: Path) -> None:
    named = f"[smtp-client]\nserver = localhost\nuser = ann\npassword = file:{conf.parent}/conf.d/ann.password\n"
    script = f"""
import os, signal, sys
from pathlib import Path
from typing import Any
from emaild.provision import conf_files, conf_folder
count = 0
def sync(path):
    global count
    count += 1
    if count == int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)
conf_files.sync = sync
with conf_files.changing(Path({str(conf)!r})) as files:
    given = {{"ann.conf": conf_files.Content({named!r}.encode())}}
    given["ann.password"] = conf_files.Content(b"x", secret=True)
    files.write(given)
    files.write(dict.fromkeys(given))
"""
    (conf.parent / "conf.d").mkdir()
    for count in range(1, 7):
        ended = subprocess.run([sys.executable, "-c", script, str(count)], check=False, timeout=60)
        assert ended.returncode == -9
        load(conf)
    with changing(conf) as files:
        files.write({"ann.conf": None, "ann.password": None})
    assert lying(conf) == {}, "what the killed ones left is swept away"


def test_two_at_a_time_come_one_after_the_other(conf: Path) -> None:
    begun, seen = threading.Event(), []

    def other() -> None:
        begun.set()
        with changing(conf) as files:
            seen.append(files.read("way.conf"))

    with changing(conf) as files:
        thread = threading.Thread(target=other)
        thread.start()
        begun.wait(10)
        files.write({"way.conf": Content(WAY)})
    thread.join(10)
    assert seen == [WAY]


def test_many_at_once_find_no_folder_and_each_writes_its_file(conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is made by one, removed by one that wrote nothing, and all are alone in it."""
    monkeypatch.setattr(conf_folder, "PAUSE", 0.001)
    inside, wrong = threading.Lock(), []

    def one(number: int) -> None:
        for again in range(50):
            with changing(conf) as files:
                if not inside.acquire(blocking=False):
                    wrong.append(number)
                    return
                if again == 49:
                    files.write({f"{number}.conf": Content(b"# " + str(number).encode())})
                inside.release()

    threads = [threading.Thread(target=one, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []
    assert sorted(lying(conf)) == ["0.conf", "1.conf", "2.conf", "3.conf"]


def test_who_makes_the_folder_does_not_take_away_anothers(conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, opened = conf.parent / "conf.d", []
    other = threading.Thread(target=lambda: opened.append(conf_folder.opened_alone(folder)[0]))
    make = tempfile.mkdtemp

    def makes(**given: Any) -> str:
        if threading.current_thread() is not other:
            other.start()
            other.join(0.5)  # long enough for making it, where that were possible now
        made: str = make(**given)
        return made

    monkeypatch.setattr("emaild.provision.conf_folder.tempfile.mkdtemp", makes)
    os.close(conf_folder.opened_alone(folder)[0])
    other.join(30)
    assert os.path.samestat(os.fstat(opened[0]), folder.stat())
    os.close(opened[0])


def test_nobody_is_waited_for_for_ever(conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conf_folder, "PATIENCE", 0.0)
    with changing(conf), pytest.raises(Conflict, match="another command changes files there"), changing(conf):
        pass


def test_the_folder_is_made_as_the_one_above_and_not_left_empty(conf: Path) -> None:
    conf.parent.chmod(0o750)
    folder = conf.parent / "conf.d"
    with changing(conf):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o750
    assert not folder.exists()


@pytest.mark.parametrize(
    ("main", "secret", "mode"),
    [(0o640, True, 0o640), (0o600, True, 0o600), (0o644, True, 0o640), (0o644, False, 0o644), (0o640, False, 0o640)],
)
def test_a_new_file_has_the_rights_of_the_conf_file_and_no_secret_is_for_everybody(
    conf: Path, main: int, secret: bool, mode: int
) -> None:
    conf.chmod(main)
    with changing(conf) as files:
        files.write({"way.conf": Content(WAY, secret=secret)})
        assert stat.S_IMODE((files.folder / "way.conf").stat().st_mode) == mode
        (files.folder / "way.conf").chmod(0o600)
        files.write({"way.conf": Content(OTHER)})
        assert stat.S_IMODE((files.folder / "way.conf").stat().st_mode) == 0o600, "an old one keeps its own"


def test_root_gives_a_file_to_those_who_have_the_conf_file(conf: Path) -> None:
    require_root()
    os.chown(conf, 0, 65534)
    with changing(conf) as files:
        files.write({"way.conf": Content(WAY, secret=True)})
        found = (files.folder / "way.conf").stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (0, 65534, 0o640)


def test_beside_a_conf_file_for_everybody_a_secret_is_for_the_group_of_the_state_directory(conf: Path) -> None:
    require_root()
    state = conf.parent / "state"
    state.mkdir()
    os.chown(state, 65534, 65534)
    conf.write_text(f"[emaild]\nstate-directory = {state}\n", encoding="utf-8")
    conf.chmod(0o644)
    with changing(conf) as files:
        files.write({"way.conf": Content(WAY, secret=True)})
        found = (files.folder / "way.conf").stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (0, 65534, 0o640)


def test_whoever_may_not_write_is_told(conf: Path) -> None:
    require_root()
    with as_nobody(), pytest.raises(InputError, match=r"conf\.d: Permission denied"), changing(conf):
        pass


def test_a_symbolic_link_is_not_replaced(conf: Path) -> None:
    (conf.parent / "elsewhere.conf").write_bytes(WAY)
    with changing(conf) as files:
        files.write({"a.conf": Content(OTHER)})
        (files.folder / "way.conf").symlink_to(conf.parent / "elsewhere.conf")
        with pytest.raises(InputError, match="symbolic link"):
            files.write({"a.conf": None, "way.conf": None})
        assert sorted(lying(conf)) == ["a.conf", "way.conf"]


@pytest.mark.parametrize("name", ["", ".hidden.conf", "../emaild.conf", "a\n.conf"])
def test_nothing_outside_the_folder_is_written(conf: Path, name: str) -> None:
    with changing(conf) as files, pytest.raises(InputError):
        files.write({name: Content(WAY)})
    assert conf.read_text(encoding="utf-8") == MAIN


def test_no_secret_is_in_what_is_shown() -> None:
    assert "hunter2" not in repr(Content(b"hunter2", secret=True))


def test_a_folder_that_cannot_be_written_is_named_and_no_file_of_ours(conf: Path) -> None:
    folder = conf.parent / "conf.d"
    with changing(conf) as files:
        folder.rmdir()
        with pytest.raises(InputError) as told:
            files.write({"a.conf": Content(b"[pop-client-a]\n")})
    assert str(told.value) == f"{folder}: No such file or directory; nothing was changed"
