"""`emaild add` and `remove` as an administrator runs them: by root, for a daemon that is somebody else."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.adapters.turns import mail
from tests.daemon.adding import imap_flags, secret_file
from tests.daemon.harness import Emaild
from tests.daemon.signing_in import MARY, knowing
from tests.daemon.test_add_oauth import Adding, by_token
from tests.servers.authority import Authority
from tests.servers.authorization import AuthorizationServer
from tests.servers.dovecot import Dovecot
from tests.servers.presence import require_root
from tests.servers.processes import Account, Home, unprivileged


@pytest.fixture
def home() -> Iterator[Home]:
    """A folder of root's, with a state directory of the daemon's user."""
    require_root()
    account = unprivileged()
    if not _may_import(account):
        pytest.skip(f"{account.name} may not read the Python that the tests run in")
    made = Home("add", account)
    try:
        os.chown(made.path, 0, 0)
        made.folder("state")
        yield made
    finally:
        made.remove()


@pytest.fixture
def daemon(home: Home) -> Iterator[Emaild]:
    with Emaild(home.path) as made:
        made.configure()
        made.conf.chmod(0o640)
        os.chown(made.conf, 0, unprivileged().gid)
        yield made


def test_the_daemon_may_read_what_root_adds_and_nothing_in_its_state_is_roots(
    home: Home, daemon: Emaild, dovecot: Dovecot, authority: Authority
) -> None:
    ca_file = home.write("ca.pem", authority.ca_file.read_bytes(), mode=0o644)
    user, box = "added-by-root@example.com", "pop-client-added-by-root"
    dovecot.drop(user, [mail("one")])
    daemon.start()
    flags = [*imap_flags(dovecot.imaps, authority)[:-1], str(ca_file), "--no-smtp", "--option", "first-fetch=all"]
    done = daemon.command("add", user, *flags, "--password-file", str(secret_file(daemon)))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(f"the daemon reads [{box}]\n")
    daemon.wait_for("interaction.created")
    folder = home.path / "conf.d"
    found = {path.name: path.stat() for path in folder.iterdir()}
    assert {(one.st_uid, one.st_gid, stat.S_IMODE(one.st_mode)) for one in found.values()} == {
        (0, unprivileged().gid, 0o640)
    }
    done = daemon.command("remove", box, "--with-mail", "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 of its mails removed" in done.stdout
    assert list(folder.iterdir()) == []
    assert {path.stat().st_uid for path in (home.path / "state").rglob("*")} == {unprivileged().uid}
    assert daemon.stop() == 0


def test_what_somebody_signed_in_with_belongs_to_the_daemon(
    home: Home, daemon: Emaild, authority: Authority, authorization: AuthorizationServer
) -> None:
    people = knowing(authorization)
    ca_file = home.write("ca.pem", authority.ca_file.read_bytes(), mode=0o644)
    flags = ["--type", "imap", "--server", "localhost", "--no-smtp", "--no-check", "--ca-file", str(ca_file)]
    with Adding(daemon, MARY, *flags, *by_token(people), "--device") as adding:
        people.realm.approve(adding.first(r"type this code: (\w+)$")[1], MARY)
        code, _, wrong = adding.end()
    assert (code, wrong) == (0, "")
    state = home.path / "state"
    assert len([path for path in (state / "tokens").iterdir() if not path.name.startswith(".")]) == 1
    assert {path.stat().st_uid for path in state.rglob("*")} == {unprivileged().uid}
    assert daemon.command("remove", "pop-client-mary", "--yes").returncode == 0
    assert [path for path in (state / "tokens").iterdir() if not path.name.startswith(".")] == []


def _may_import(account: Account) -> bool:
    script = (sys.executable, "-c", "import emaild, msal, cryptography")
    try:
        done = subprocess.run(
            script, check=False, user=account.uid, group=account.gid, extra_groups=(), capture_output=True
        )
    except PermissionError:
        return False
    return done.returncode == 0
