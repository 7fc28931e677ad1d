"""A secret stays where it was written, whatever the daemon does with it."""

from __future__ import annotations

import base64
from pathlib import Path

from tests.daemon.harness import Emaild, imap_section, pop3_section, smtp_section
from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.faulty_smtp import FaultySmtp
from tests.servers.proxies import ProxyProgram

CANARY = "canary-9e4d"
USER = "tells-nothing"


def secrets() -> list[bytes]:
    """As it stands in the conf file, and as sign-ins put it on the wire."""
    plain = CANARY.encode()
    signed = (b"\0%b\0%b" % (user.encode(), plain) for user in (USER, f"{USER}-pop3", "puser"))
    return [plain, base64.b64encode(plain), *map(base64.b64encode, signed), base64.b64encode(b"puser:" + plain)]


def written(home: Path, *secret_files: Path) -> dict[Path, bytes]:
    """Every file of the daemon but those that hold the secret on purpose."""
    return {path: path.read_bytes() for path in home.rglob("*") if path.is_file() and path not in secret_files}


def test_no_secret_is_written_anywhere_by_a_daemon_that_traces_the_wire(
    tmp_path: Path, dovecot: Dovecot, authority: Authority
) -> None:
    secret_file = tmp_path / "secret"
    secret_file.write_text(CANARY)
    secret_file.chmod(0o600)
    wrong = {"password": CANARY, "enable-debug": "true"}
    way_out = {"enable-authentication": "true", "user": USER, "enable-debug": "true", "proxy": "none"}
    with (
        FaultySmtp(user=USER, password=CANARY) as taking,
        FaultySmtp(user=USER, password="another") as refusing,
        ProxyProgram("squid", signs_in=True) as proxy,
        Emaild(tmp_path / "home") as daemon,
    ):
        daemon.configure(
            imap_section("pop-client1", dovecot.imaps, USER, authority, **wrong, proxy="none"),
            pop3_section("pop-client2", dovecot.pop3s, f"{USER}-pop3", authority, **wrong, proxy="none"),
            imap_section("pop-client3", dovecot.imaps, USER, authority, **{"enable-debug": "true"}),
            smtp_section(taking.smtp, **way_out, password=f"file:{secret_file}"),
            smtp_section(refusing.smtp, "smtp-client-2", **way_out, password=CANARY),
            f"[proxy]\nuseProxy = true\nhost = 127.0.0.1\nport = {proxy.port}\nuser = puser\npassword = {CANARY}\n",
            head="reload-quiet = 0.1s",
        )
        daemon.start()
        mail = ("--from", "a@example.com", "--to", "b@example.com", "--subject", "s", "--text", "t")
        sent, failed = daemon.command("send", *mail), daemon.command("send", *mail, "--way-out", "smtp-client-2")
        assert (sent.returncode, failed.returncode) == (0, 0)
        daemon.wait_for("outbound.sent")
        for name in ("pop-client1", "pop-client2", "pop-client3"):
            daemon.wait_for("mailbox.failed", section=name)
        daemon.wait_for("way_out.failed", section="smtp-client-2")
        daemon.conf.write_text(daemon.conf.read_text().replace("[proxy]", "[proxy]\nnonsense = 1"))
        daemon.wait_for("reload.refused")
        daemon.stop()
        shown = [daemon.command(name).stdout for name in ("show", "mailboxes", "outbox", "history")]
        assert len(taking.mails) == 1
        assert daemon.count("protocol.sent", section="smtp-client") > 3
        files = written(daemon.home, daemon.conf)
        assert daemon.log_file in files
        assert any(path.parent == daemon.home / "state" for path in files)
        for secret in secrets():
            assert [path for path, content in files.items() if secret in content] == []
            assert not any(secret.decode() in text for text in shown)
