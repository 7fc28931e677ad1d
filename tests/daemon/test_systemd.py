"""The shipped unit under a really booted systemd: started, watched, reloaded and stopped as an operator would."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest

from emaild.shipped import PACKAGE, shipped
from tests.servers.nspawn import Container
from tests.servers.presence import require
from tests.servers.wait import eventually

pytestmark = [pytest.mark.xdist_group("systemd"), pytest.mark.timeout(180)]

UNIT = shipped("systemd") / "emaild.service"
DRAIN = 20.0  # [emaild] drain-timeout, by default
PASSWORD = "correct horse battery staple"
ERROR, WARNING, INFO = "3", "4", "6"

# Nothing listens at that port. A changed file is left alone for a minute, so that a reload is that of `systemctl`.
CONF = """\
[emaild]
reload-quiet = 1m

[pop-client]
type = IMAP
server = 127.0.0.1
port = 1
mailbox = support@example.com
password = credential:box_support
"""

# The Python of the tests may live anywhere and has no pip to install with, so this stands where pip would have put
# its own: same path, same working directory, the same process from start to end.
PROGRAM = f"""\
#!/bin/sh
export LD_LIBRARY_PATH=/opt/python/lib PYTHONPATH=/opt/emaild/lib:/opt/emaild-packages
exec /opt/python/bin/python{sys.version_info.major}.{sys.version_info.minor} -s -P -m emaild "$@"
"""


@dataclass(frozen=True)
class Line:
    """A line of the journal, and the event in it where emaild wrote it."""

    priority: str
    text: str
    pid: str

    @property
    def event(self) -> dict[str, Any]:
        """What emaild logged; empty where the line is no event."""
        try:
            return dict(json.loads(self.text))
        except ValueError:
            return {}


class Service:
    """emaild.service as `systemctl` and `journalctl` show it."""

    def __init__(self, machine: Container) -> None:
        self.machine = machine
        # Not a cursor: `journalctl` skips the entry that follows one which its filters leave out.
        self._since = f"@{time.time():.6f}"

    def conf(self, text: str) -> None:
        """Write the conf file, as the install instructions do."""
        self.machine.install("/etc/emaild/emaild.conf", text, "--mode=640", "--owner=root", "--group=emaild")

    def start(self) -> None:
        """Start it, and return when systemd says that it is active."""
        self.machine.must("systemctl", "start", "emaild")

    def show(self, name: str) -> str:
        """A property of the unit."""
        return self.machine.must("systemctl", "show", "--value", f"--property={name}", "emaild").strip()

    def journal(self, *options: str) -> list[Line]:
        """What the journal got of the unit since this object was made."""
        command = ("journalctl", "-u", "emaild", "-o", "json", f"--since={self._since}", *options)
        entries = [json.loads(line) for line in self.machine.must(*command).splitlines()]
        return [Line(entry["PRIORITY"], str(entry["MESSAGE"]), entry.get("_PID", "")) for entry in entries]

    def told(self, event: str, *options: str) -> Line:
        """Wait for an event of emaild's in the journal."""
        return eventually(
            lambda: [line for line in self.journal(*options) if line.event.get("event") == event],
            within=10,
            what=f"{event} in the journal",
        )[0]


def installed_emaild(folder: Path) -> Path:
    """What lies in /opt/emaild: the package as a wheel has it, and the program."""
    (folder / "bin").mkdir(parents=True)
    program = folder / "bin" / "emaild"
    program.write_text(PROGRAM, encoding="utf-8")
    shutil.copytree(PACKAGE, folder / "lib" / "emaild")
    for name in ("conf", "templates", "systemd"):
        shutil.copytree(shipped(name), folder / "lib" / "emaild" / "shipped" / name, dirs_exist_ok=True)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path == program else 0o644)
    return folder


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """A machine on which emaild is installed."""
    folders = {
        installed_emaild(tmp_path_factory.mktemp("opt") / "emaild"): "/opt/emaild",
        Path(sysconfig.get_path("purelib")): "/opt/emaild-packages",
        Path(sys.base_prefix): "/opt/python",
    }
    with Container(folders) as booted:
        files = "/opt/emaild/lib/emaild/shipped/systemd"
        booted.must("install", "-D", "--mode=644", f"{files}/emaild.sysusers", "/etc/sysusers.d/emaild.conf")
        booted.must("systemd-sysusers", "emaild.conf")
        booted.must("install", "-d", "--mode=750", "--group=emaild", "/etc/emaild", "/etc/emaild/conf.d")
        booted.must("install", "--mode=644", f"{files}/emaild.service", "/etc/systemd/system")
        booted.install("/etc/emaild/passwords/support", PASSWORD + "\n", "-D", "--mode=600")
        with booted.drop_in("emaild.service", "credentials", "LoadCredential=box:/etc/emaild/passwords"):
            booted.must("systemctl", "enable", "emaild")
            yield booted


@pytest.fixture
def service(machine: Container) -> Iterator[Service]:
    """The service with a good conf file, not yet started; stopped and as before at the end."""
    found = Service(machine)
    found.conf(CONF)
    try:
        yield found
    finally:
        machine.must("systemctl", "stop", "emaild")
        machine.run("systemctl", "reset-failed", "emaild")


def test_unit_file_is_understood_and_leaves_little_exposed(tmp_path: Path) -> None:
    """`verify` exits 0 whatever it finds, so nothing may be printed. The threshold is in tenths."""
    analyze = require("systemd-analyze")
    # The one message that is right here: /opt/emaild is not there. The machine below verifies the file as it is.
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text(encoding="utf-8").replace("=/opt/emaild/bin/emaild", "=/bin/true"), encoding="utf-8")
    verified = _ran(analyze, "verify", "--man=no", str(copy))
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")
    rated = _ran(analyze, "security", "--offline=true", "--threshold=15", "--no-pager", str(UNIT))
    assert rated.returncode == 0, rated.stdout


def test_unit_file_as_installed_is_verified_without_a_word(machine: Container) -> None:
    verified = machine.run("systemd-analyze", "verify", "/etc/systemd/system/emaild.service")
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")
    assert machine.must("systemctl", "is-enabled", "emaild").strip() == "enabled"


def test_sysusers_file_makes_a_user_that_cannot_log_in(machine: Container) -> None:
    name, _, uid, _, _, home, shell = machine.must("getent", "passwd", "emaild").strip().split(":")
    assert (name, home, shell) == ("emaild", "/var/lib/emaild", "/usr/sbin/nologin")
    assert 0 < int(uid) < 1000


def test_active_only_once_the_daemon_says_that_it_is_ready(service: Service) -> None:
    """A conf.d file that is a pipe holds the daemon in the middle of its start."""
    pipe = "/etc/emaild/conf.d/slow.conf"
    service.machine.must("mkfifo", "--mode=644", pipe)
    try:
        service.machine.must("systemctl", "start", "--no-block", "emaild")
        writer = eventually(lambda: _opened(service.machine.path(pipe)), within=10, what="the daemon's reading")
        with writer[0]:
            assert service.show("ActiveState") == "activating"
            assert service.show("MainPID") != "0"
        eventually(lambda: service.show("ActiveState") == "active", within=10, what="READY=1")
    finally:
        service.machine.must("rm", pipe)
    assert service.show("StatusText") == "mailboxes: 1, ways out: 0"


def test_runs_as_its_user_and_writes_in_its_state_directory_only(service: Service) -> None:
    service.start()
    pid = service.show("MainPID")
    assert service.machine.must("stat", "--format=%U:%G", f"/proc/{pid}").strip() == "emaild:emaild"
    assert service.machine.must("stat", "--format=%U:%G %a", "/var/lib/emaild").strip() == "emaild:emaild 700"
    assert service.machine.must("stat", "--format=%U %a", "/var/lib/emaild/emaild.db").strip() == "emaild 600"
    # Even root, in there, can write nowhere else.
    inside = ("nsenter", f"--target={pid}", "--mount", "touch")
    for refused in ("/etc/emaild/x", "/var/lib/x", "/opt/x", "/x"):
        assert "Read-only file system" in service.machine.run(*inside, refused).stderr
    service.machine.must(*inside, "/var/lib/emaild/x", "/tmp/x")
    service.machine.must("rm", "/var/lib/emaild/x")
    assert service.machine.run("test", "-e", "/tmp/x").returncode  # the service has a /tmp of its own


def test_journal_has_the_priority_of_each_event_and_the_bare_line(service: Service) -> None:
    service.start()
    started, failed = service.told("daemon.started"), service.told("mailbox.failed")
    assert (started.priority, started.event["level"]) == (INFO, "info")
    assert (failed.priority, failed.event["level"]) == (WARNING, "warning")
    assert started.pid == service.show("MainPID")
    assert started.event["mailboxes"] == 1  # so the password, which systemd alone could read, was there
    assert not service.journal("-p", "err")
    assert not [line for line in service.journal() if PASSWORD in line.text]


def test_reload_applies_what_changed(service: Service) -> None:
    service.start()
    pid = service.show("MainPID")
    service.conf(f"{CONF}\n[smtp-client]\nserver = 127.0.0.1\n")
    service.machine.must("systemctl", "reload", "emaild")
    applied = service.told("reload.applied")
    assert applied.event["start"] == ["smtp-client"]
    assert applied.event["keep"] == 1
    eventually(lambda: service.show("StatusText") == "mailboxes: 1, ways out: 1", what="the new status")
    assert (service.show("ActiveState"), service.show("MainPID")) == ("active", pid)


def test_changed_file_is_noticed_without_a_reload(service: Service) -> None:
    """The sandbox leaves inotify working."""
    quick = CONF.replace("1m", "100ms")
    service.conf(quick)
    service.start()
    service.conf(f"{quick}cycle-time = 45s\n")
    assert service.told("reload.applied").event["start"] == ["pop-client"]


def test_refused_reload_is_an_error_in_the_journal_and_changes_nothing(service: Service) -> None:
    service.start()
    pid = service.show("MainPID")
    service.conf(f"{CONF}cycle-tme = 45s\n")
    service.machine.must("systemctl", "reload", "emaild")
    refused = service.told("reload.refused", "-p", "err")
    assert refused.priority == ERROR
    assert refused.event["faults"][0].startswith("/etc/emaild/emaild.conf:10: [pop-client] cycle-tme: unknown option")
    eventually(lambda: service.show("SubState") == "running", what="the end of the reload")
    assert (service.show("ActiveState"), service.show("MainPID")) == ("active", pid)
    assert service.show("StatusText") == "mailboxes: 1, ways out: 0"


def test_daemon_that_hangs_is_started_again_and_says_where_it_hung(service: Service) -> None:
    with service.machine.drop_in("emaild.service", "hasty", "WatchdogSec=2s", "RestartSec=100ms"):
        service.start()
        pid = service.show("MainPID")
        service.machine.must("kill", "-STOP", pid)
        eventually(lambda: service.show("NRestarts") == "1", within=10, what="the watchdog")
        eventually(lambda: service.show("ActiveState") == "active", within=10, what="the new start")
    assert service.show("MainPID") != pid
    grave = [line.text for line in service.journal("-p", "err")]
    assert any("Watchdog timeout" in text for text in grave)
    assert "Fatal Python error: Aborted" in grave


def test_a_command_run_as_root_goes_on_as_the_owner_of_the_state(service: Service) -> None:
    service.conf(f"{CONF}\n[smtp-client]\nserver = 127.0.0.1\nport = 9\n")
    service.start()
    service.machine.must("/opt/emaild/bin/emaild", "send", "--from", "a@example.com", "--to", "b@example.com")
    owners = service.machine.must("find", "/var/lib/emaild", "-printf", "%u\n").split()
    assert set(owners) == {"emaild"}
    service.told("way_out.failed")  # the daemon took the mail up


def test_stop_is_clean_and_within_the_drain(service: Service) -> None:
    service.start()
    stopped = service.machine.run("systemctl", "stop", "emaild", within=DRAIN)
    assert (stopped.returncode, stopped.stderr) == (0, "")
    assert service.told("daemon.stopped").event["unfinished"] == 0
    states = {name: service.show(name) for name in ("ActiveState", "Result", "ExecMainStatus", "ExecMainCode")}
    assert states == {"ActiveState": "inactive", "Result": "success", "ExecMainStatus": "0", "ExecMainCode": "1"}


def test_wrong_conf_file_fails_the_start_for_good_and_tells_why(service: Service) -> None:
    """sysexits.h: 78 is EX_CONFIG."""
    service.conf(f"{CONF}cycle-tme = 45s\n")
    assert service.machine.run("systemctl", "start", "emaild").returncode == 1
    states = {name: service.show(name) for name in ("ActiveState", "SubState", "Result", "ExecMainStatus", "NRestarts")}
    assert states == {
        "ActiveState": "failed",
        "SubState": "failed",  # a restart would be on its way in auto-restart
        "Result": "exit-code",
        "ExecMainStatus": "78",
        "NRestarts": "0",
    }
    why = "/etc/emaild/emaild.conf:10: [pop-client] cycle-tme: unknown option"
    eventually(lambda: any(why in line.text for line in service.journal("-p", "err")), what="the wrong line")


def _opened(pipe: Path) -> list[IO[bytes]]:
    """The pipe's end for writing, once another process reads from it."""
    try:
        return [os.fdopen(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK), "wb")]
    except OSError:
        return []


def _ran(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
