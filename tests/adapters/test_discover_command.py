"""`emaild discover` as an operator runs it: a process of its own, the system's names, no proxy."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from emaild.cli.main import command
from tests.adapters.discovering import CONFIG, document, own
from tests.servers.authority import Authority
from tests.servers.providers import Page, certified
from tests.servers.small_internet import in_small_internet

HOSTS = "address=/autoconfig.right.test/autoconfig.plain.test/autoconfig.bad.test/127.0.0.1"
NAMES = [
    HOSTS,
    "mx-host=cloud.test,cloud-test.mail.protection.outlook.com,0",
    "srv-host=_imaps._tcp.service.test,imap.service.test,993,0,1",
    "srv-host=_pop3s._tcp.service.test",  # the target is the root: it is not offered
]
EVIL = document("bad.test", name="\x9b31m\u202eEvil").replace(b"%EMAILADDRESS%", "\u202eanna".encode())
SITE = {
    **own("right.test"),
    **own("bad.test", Page(EVIL)),
    f"http:autoconfig.plain.test{CONFIG}": Page(document("plain.test")),
}


class Run:
    """`emaild discover` with a conf file, in an Internet of its own."""

    def __init__(self, authority: Authority, folder: Path) -> None:
        self.authority = certified(authority, ["autoconfig.right.test", "autoconfig.bad.test"], folder)
        self.folder = folder
        self.lines = [f"ca-file = {authority.ca_file}", "ispdb ="]

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Its exit code, and what it said."""
        conf = self.folder / "emaild.conf"
        conf.write_text("\n".join(["[discovery]", *self.lines, ""]), encoding="utf-8")
        command = (sys.executable, "-m", "emaild", "discover", "--conf", str(conf), *arguments)
        done = in_small_internet(command, self.folder, names=NAMES, site=SITE, authority=self.authority)
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def run(authority: Authority, tmp_path: Path) -> Run:
    """Runs the command."""
    tmp_path.chmod(0o755)
    return Run(authority, tmp_path)


def test_what_was_found_is_told_with_the_command_that_sets_it_up(run: Run) -> None:
    code, out, err = run("anna@right.test")
    assert (code, err) == (os.EX_OK, "")
    assert "anna@right.test is at right.test, says step 1.1: https://autoconfig.right.test/" in out
    assert "IMAP imap.right.test:993" in out
    assert "password" in out
    assert "emaild add anna@right.test" in out
    assert "STEP" not in out


def test_scopes_are_told_where_a_token_signs_in(run: Run) -> None:
    code, out, _ = run("anna@cloud.test")
    assert code == os.EX_OK
    assert "Microsoft 365" in out
    assert "OAuth" in out
    assert "Scopes for IMAP: https://outlook.office.com/IMAP.AccessAsUser.All offline_access" in out
    assert "Scopes for GRAPH: https://graph.microsoft.com/Mail.ReadWrite https://graph.microsoft.com/Mail.Send" in out


def test_each_step_is_explained(run: Run) -> None:
    code, out, _ = run("anna@service.test", "--explain")
    assert code == os.EX_OK
    rows = {line.split()[0]: line for line in out.splitlines() if line[:1].isdigit()}
    assert [*rows] == ["1.1", "1.2", "3", *(f"4.{number}" for number in range(1, 7))]
    assert "https://autoconfig.service.test/mail/config-v1.1.xml?emailaddress=anna@service.test" in rows["1.1"]
    assert "service.test MX" in rows["3"]
    assert "found" in rows["4.1"]
    assert "the domain says that it does not offer this" in rows["4.3"]


def test_everything_is_there_as_json(run: Run) -> None:
    code, out, _ = run("anna@cloud.test", "--json")
    assert code == os.EX_OK
    said = json.loads(out)
    assert said["found"]["provider"] == "Microsoft 365"
    assert said["found"]["incoming"][1]["host"] == "outlook.office365.com"
    assert said["found"]["incoming"][1]["best_sign_in"] == "oauth"
    assert said["found"]["incoming"][1]["oauth"]["directory"] == "cloud.test"
    assert {"number", "asked", "came", "text", "seconds"} == {*said["steps"][0]}


def test_nothing_found_says_what_to_do(run: Run) -> None:
    code, out, err = run("anna@nobody.test")
    assert (code, out) == (os.EX_UNAVAILABLE, "")
    assert "nobody says where the mailbox of anna@nobody.test is; --explain shows what was asked" in err
    assert "ask its provider for server, port, security and user name" in err
    code, out, _ = run("anna@nobody.test", "--json")
    assert code == os.EX_UNAVAILABLE
    assert json.loads(out)["found"] is None


def test_what_could_not_be_looked_up_now_may_be_found_later(run: Run) -> None:
    code, out, err = run("anna@away.invalid", "--explain")  # dnsmasq refuses to say anything of it
    assert code == os.EX_TEMPFAIL
    assert "is now, and some did not answer" in err
    (row,) = [line for line in out.splitlines() if line.startswith("1.1")]
    assert "unreachable" in row


def test_provider_is_asked_without_tls_where_that_is_allowed(run: Run) -> None:
    assert run("anna@plain.test")[0] == os.EX_UNAVAILABLE  # its port 443 has a certificate for another host
    run.lines.append("use-http = true")
    code, out, _ = run("anna@plain.test")
    assert code == os.EX_OK
    assert "Look first: it was told without TLS, and anyone on the way can change that." in out


def test_system_s_dns_server_is_not_where_a_proxy_leads(run: Run) -> None:
    run.lines += ["proxy = far", "[proxy-far]", "useProxy = true", "host = 127.0.0.1", "port = 9"]
    code, out, _ = run("anna@cloud.test", "--explain")
    assert code == os.EX_UNAVAILABLE
    assert "[proxy-far] does not lead to the system's DNS server, which is on this machine" in out


@pytest.mark.parametrize(
    "address",
    ["anna", "anna@", "@right.test", "anna@localhost", "anna@[127.0.0.1]", "anna@127.0.0.1", "a b@right.test",
     "anna@right..test", "a\nb@right.test", f"anna@{'a' * 64}.test", "Anna <anna@right.test>", ""],
)  # fmt: skip
def test_what_is_no_address_is_refused_in_one_line(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (conf := tmp_path / "emaild.conf").write_text("", encoding="ascii")
    assert command(["discover", "--conf", str(conf), address]) == os.EX_USAGE
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("emaild: expected an address such as anna@example.com")
    assert err.count("\n") == 1


def test_what_a_provider_says_does_not_play_with_the_terminal(run: Run) -> None:
    code, out, _ = run("anna@bad.test", "--explain")
    assert code == os.EX_OK
    assert "IMAP imap.bad.test:993" in out
    assert out.replace("\n", "").isprintable()
