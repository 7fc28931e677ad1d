"""`emaild import`: what it writes is accepted by `emaild check`; what it cannot use it says in words."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.daemon.forked import ran_in_text

SAMPLES = Path(__file__).parents[1] / "unit/settings/exports"
EXPECTED = {
    "config_manager.xml": {
        ("pop-client", "type"): "IMAP",
        ("pop-client", "server"): "imap.example.com",
        ("pop-client", "port"): "993",
        ("pop-client", "mailbox"): "support@example.com",
        ("pop-client", "pop-connection-security"): "ssl-tls",
        ("pop-client", "cycle-time"): "60s",
        ("pop-client", "folder-path"): "INBOX",
        ("pop-client", "protocol-timeout"): "60s",
        ("pop-client", "mail.imap.fetchsize"): "65536",
        ("pop-client", "inbound-msg-copy-limit"): "25",
        ("smtp-client", "port"): "587",
        ("smtp-client", "smtp-connection-security"): "start-tls",
        ("smtp-client", "enable-authentication"): "true",
        ("smtp-client", "user"): "support@example.com",
        ("smtp-client", "cnx-pool-size"): "5",
        ("email-processing", "default-domain"): "example.com",
        ("email-processing", "quote-prefix"): '"| "',
        ("email-processing", "socket-timeout"): "",
        ("proxy", "useProxy"): "false",
        ("log", "verbose"): "standard",
    },
    "administrator.csv": {
        ("pop-client", "type"): "POP3",
        ("pop-client", "server"): "pop.example.com",
        ("pop-client", "pop-connection-security"): "start-tls",
        ("pop-client", "port"): "110",
        ("pop-client", "mail.pop3.disabletop"): "true",
        ("smtp-client", "server"): "smtp.example.com",
        ("email-processing", "subject-reply-prefix"): '"AW: "',
    },
    "configuration.cfg": {
        ("pop-client", "type"): "IMAP",
        ("pop-client", "cycle-time"): "120s",
        ("smtp-client", "server"): "smtp.example.com",
        ("email-processing", "default-domain"): "example.com",
        ("proxy", "useProxy"): "true",
        ("proxy", "host"): "proxy.example.com",
        ("proxy", "port"): "1080",
    },
}
PASSWORDS = {
    "config_manager.xml": ["p=ss;w#rd&%", "geheim zwei"],
    "administrator.csv": ['a;b"c=#%'],
    "configuration.cfg": ["a=b;c#d%e %(f)s"],
}
MASKED = "[pop-client]\nserver = s\nmailbox = ann\npassword = ***\n[smtp]\nserver = s\nuser = bob\npassword = *\n"


def emaild(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return ran_in_text([*map(str, arguments)], os.environ)


def one_line(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    (line,) = done.stderr.splitlines()
    assert all(word in line for word in words), line


@pytest.fixture
def export(tmp_path: Path) -> Path:
    path = tmp_path / "export.cfg"
    path.write_text("[log]\nverbose = all\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("sample", sorted(EXPECTED))
def test_an_export_becomes_a_conf_file_with_its_values(sample: str, tmp_path: Path) -> None:
    conf = tmp_path / "emaild.conf"
    done = emaild("import", SAMPLES / sample, "--output", conf)
    assert (done.returncode, done.stdout) == (os.EX_OK, "")
    assert all(line.startswith(f"{SAMPLES / sample}:") for line in done.stderr.splitlines())
    checked = emaild("check", "--conf", conf)
    assert checked.returncode == os.EX_OK, checked.stderr
    values: dict[tuple[str, str], str] = {}
    for section in ([], ["pop-client"]):  # properties are shown with their section only
        shown = emaild("show", *section, "--json", "--conf", conf)
        rows = [json.loads(line) for line in shown.stdout.splitlines()]
        values |= {(row["section"], row["option"]): row["value"] for row in rows if "option" in row}
    assert {name: values[name] for name in EXPECTED[sample]} == EXPECTED[sample]
    for password in PASSWORDS[sample]:
        assert f"\npassword = {password}\n" in conf.read_text(encoding="utf-8")
        assert password not in done.stderr


def test_what_could_not_be_taken_over_is_told_with_its_line(tmp_path: Path) -> None:
    sample = SAMPLES / "config_manager.xml"
    done = emaild("import", sample)
    assert [line.removeprefix(f"{sample}:").partition(": left out")[0] for line in done.stderr.splitlines()] == [
        "6: [settings]",
        "17: [pop-client] leave-msg-on-server",
        "20: [pop-client] mail.debug.auth",
        "21: [pop-client] mail.imap.folder.class",
        "24: [pop-client2]",
        "36: [smtp-client] cnx-pool-size",
        "41: [email-processing] socket-timeout",
        "52: [log] memory-storage-size",
        "57: the options of another application; they are left out",
    ]


def test_the_conf_file_goes_to_standard_output_or_where_nobody_else_can_read_it(export: Path, tmp_path: Path) -> None:
    conf = tmp_path / "emaild.conf"
    printed = emaild("import", export).stdout
    emaild("import", export, "--output", conf)
    assert conf.read_text(encoding="utf-8") == printed
    assert printed.endswith("\n[log]\nverbose = all\n")
    assert conf.stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_there_is_replaced_only_by_force(export: Path, tmp_path: Path) -> None:
    conf = tmp_path / "emaild.conf"
    conf.write_text("[log]\n", encoding="utf-8")
    one_line(emaild("import", export, "--output", conf), os.EX_USAGE, str(conf), "--force")
    assert conf.read_text(encoding="utf-8") == "[log]\n"
    assert emaild("import", export, "--output", conf, "--force").returncode == os.EX_OK
    assert "verbose = all" in conf.read_text(encoding="utf-8")
    assert conf.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["emaild.conf", "export.cfg"]


def test_a_folder_that_is_not_there_is_told(export: Path, tmp_path: Path) -> None:
    one_line(emaild("import", export, "--output", tmp_path / "none" / "x"), os.EX_CANTCREAT, "none/x", "No such file")


def test_masked_passwords_are_told_by_name_and_nothing_is_written(export: Path, tmp_path: Path) -> None:
    export.write_text(MASKED, encoding="utf-8")
    done = emaild("import", export, "--output", tmp_path / "emaild.conf")
    assert (done.returncode, done.stdout) == (os.EX_DATAERR, "")
    first, second = done.stderr.splitlines()
    assert first.startswith(f"{export}:4: [pop-client] password: a masked password")
    assert second.startswith(f"{export}:8: [smtp-client] password: a masked password")
    assert [path.name for path in tmp_path.iterdir()] == ["export.cfg"]


def test_a_file_that_is_no_export_is_told_in_one_line(export: Path, tmp_path: Path) -> None:
    one_line(emaild("import", tmp_path / "none.xml"), os.EX_NOINPUT, "none.xml", "No such file")
    one_line(emaild("import", tmp_path), os.EX_NOINPUT, str(tmp_path), "Is a directory")
    one_line(emaild("import", "/dev/zero"), os.EX_NOINPUT, "/dev/zero:1:", "16 MiB")
    export.write_text("<a>\n<b></a>", encoding="utf-8")
    one_line(emaild("import", export), os.EX_NOINPUT, f"{export}:2: broken XML: mismatched tag")


def test_names_that_play_with_a_terminal_are_printed_harmlessly(export: Path) -> None:
    export.write_text("[log]\n\x1b[31mred = 1\n", encoding="utf-8")
    done = emaild("import", export)
    assert "\x1b" not in done.stdout + done.stderr
    assert "[31mred: left out: unknown option" in done.stderr
