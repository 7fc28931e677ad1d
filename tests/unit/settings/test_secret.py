"""Secrets: where they come from, and that nothing prints them."""

from __future__ import annotations

from pathlib import Path

import pytest

from emaild.cli.main import command
from emaild.settings.secret import CredentialMissing, Secret, read_secret
from tests.conf_files import MAILBOX, ConfFiles


def test_a_secret_is_masked_wherever_it_is_printed() -> None:
    secret = Secret("hunter2")
    assert f"{secret} {secret!r} {secret!s} {[secret]} {(secret,)}" == "*** *** *** [***] (***,)"
    assert secret.reveal() == "hunter2"


def test_secrets_are_equal_by_value() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert len({Secret("a"), Secret("a")}) == 1


@pytest.mark.parametrize("text", ["hunter2", "", "file", "with: a colon", "FILE:/etc/x", "pass:word", "%(x)s $HOME"])
def test_a_secret_may_stand_in_the_file_itself(text: str) -> None:
    assert read_secret(text).reveal() == text


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"hunter2", "hunter2"),
        (b"hunter2\n", "hunter2"),
        (b"hunter2\r\n", "hunter2"),
        (b"hunter2\n\n", "hunter2\n"),
        (b" spaces count ", " spaces count "),
        ("Schlüssel\n".encode(), "Schlüssel"),
        (b"", ""),
    ],
)
def test_one_line_end_of_a_secret_file_is_not_part_of_it(tmp_path: Path, content: bytes, secret: str) -> None:
    (tmp_path / "secret").write_bytes(content)
    assert read_secret(f"file:{tmp_path}/secret").reveal() == secret


def test_a_secret_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMAILD_TEST_SECRET", "hunter2")
    assert read_secret("env:EMAILD_TEST_SECRET").reveal() == "hunter2"


def test_a_secret_comes_from_the_credentials_that_systemd_gave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "support").write_text("hunter2\n")
    assert read_secret("credential:support").reveal() == "hunter2"


@pytest.mark.parametrize("kind", ["file:", "env:", "credential:"])
def test_a_kind_without_a_name_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match="must be followed by a name"):
        read_secret(kind)


@pytest.mark.parametrize("text", ["*", "********", "*** ***"])
def test_a_masked_password_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a masked password, as exports have it"):
        read_secret(text)


def test_a_password_may_have_asterisks_and_others() -> None:
    assert read_secret("**a**").reveal() == "**a**"


@pytest.mark.parametrize("name", ["../shadow", "a/b", ".", ".."])
def test_a_credential_name_never_leaves_its_folder(name: str) -> None:
    with pytest.raises(ValueError, match="no slash"):
        read_secret(f"credential:{name}")


def test_what_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=f"cannot read {tmp_path}/gone: No such file"):
        read_secret(f"file:{tmp_path}/gone")
    with pytest.raises(ValueError, match=f"cannot read {tmp_path}: Is a directory"):
        read_secret(f"file:{tmp_path}")
    monkeypatch.delenv("EMAILD_TEST_SECRET", raising=False)
    with pytest.raises(ValueError, match="variable EMAILD_TEST_SECRET is not set"):
        read_secret("env:EMAILD_TEST_SECRET")


def test_a_secret_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="not UTF-8"):
        read_secret(f"file:{tmp_path}/secret")


@pytest.mark.parametrize("name", ["no-such-credential-of-emaild", "x" * 300])
def test_a_credential_that_only_the_unit_sees_is_told_apart(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(CredentialMissing):
        read_secret(f"credential:{name}")


def test_a_missing_credential_is_a_warning_outside_the_unit_and_an_error_in_it(
    conf: ConfFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    content = "[pop-client]\nserver = ::1\nmailbox = m\npassword = credential:no-such-credential-of-emaild\n"
    (warning,) = conf.warnings(content, outside_unit=True)
    (fault,) = conf.faults(content)
    assert warning == fault
    assert fault.startswith("emaild.conf:4: [pop-client] password: no credential no-such-credential-of-emaild")


def test_no_error_holds_a_secret(conf: ConfFiles) -> None:
    faults = conf.faults(
        "[pop-client]\npassword = hunter2\npassword = hunter2\n password = hunter2\npasword = hunter2\n"
        "password: hunter2\npassword hunter2\nhunter2\nserver = s\nmailbox =\n"
    )
    assert len(faults) == 7
    assert "hunter2" not in "\n".join(faults)


@pytest.mark.parametrize("arguments", [["check"], ["show"], ["show", "--json"], ["show", "pop-client", "--json"]])
def test_no_command_shows_a_secret(conf: ConfFiles, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    path = conf.write(f"[pop-client]\n{MAILBOX}[smtp-client]\nserver = s\nuser = u\npassword = hunter2\n")
    assert command([*arguments, "--conf", str(path)]) == 0
    shown = "".join(capsys.readouterr())
    assert "hunter2" not in shown
    assert arguments == ["check"] or "***" in shown


def test_settings_print_no_secret(conf: ConfFiles) -> None:
    settings = conf.load(f"[pop-client]\n{MAILBOX}")
    assert settings.mailboxes["pop-client"].password.reveal() == "hunter2"
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in str(settings.sections())
