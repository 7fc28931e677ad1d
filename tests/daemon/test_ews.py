"""The whole daemon on an Exchange server: mails in, each once, and mails out."""

from __future__ import annotations

from pathlib import Path

from tests.adapters.ews_ways import ANN
from tests.daemon.harness import Emaild
from tests.servers.authority import Authority
from tests.servers.ews import Exchange, Failure
from tests.servers.mails import generated
from tests.servers.wait import eventually


def sections(server: Exchange, authority: Authority) -> list[str]:
    common = f"server = {server.url}\nca-file = {authority.ca_file}\npassword = secret\n"
    return [
        f"[pop-client]\ntype = ews\nfolder-path =\nmailbox = {ANN}\ncycle-time = 1s\n{common}",
        f"[smtp]\nserver-type = ews\nuser = {ANN}\n{common}",
    ]


def test_mails_come_in_once_and_go_out(authority: Authority, tmp_path: Path) -> None:
    """Over NTLM, in pages, with a server that fails in the middle, and a restart."""
    with Exchange(authority, offers=("NTLM",), page=20) as server, Emaild(tmp_path) as daemon:
        box = server.mailbox(ANN)
        raws = [one.raw for one in generated(50, seed=33, largest=20_000)]
        box.drop(*raws)
        server.fails = lambda name, number: Failure(503) if (name, number) == ("UpdateItem", 1) else None
        daemon.configure(*sections(server, authority))
        daemon.start()
        daemon.wait_for("interaction.created", 50)
        eventually(lambda: all(item.read for item in box.inbox.items.values()), within=20)
        assert daemon.stop() == 0
        box.drop(b"Subject: after the restart\r\n\r\nhello\r\n")
        daemon.start()
        daemon.wait_for("interaction.created", 51)
        sent = daemon.command("send", "--from", ANN, "--to", "bob@example.net", "--subject", "out", "--text", "hi")
        assert sent.returncode == 0, sent.stderr
        daemon.wait_for("outbound.sent")
        assert daemon.stop() == 0
        assert sorted(daemon.raws()) == sorted(box.held())
        ((who, raw, _),) = server.sent
        assert (who, b"Subject: out\r\n" in raw) == (ANN, True)
        assert "secret" not in daemon.log_file.read_text(encoding="utf-8")
