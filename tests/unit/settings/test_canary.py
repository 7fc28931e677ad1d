"""A secret is put wherever one can stand, and looked for in everything that emaild says about its settings."""

from __future__ import annotations

import io
import re
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from rich.console import Console
from rich.traceback import Traceback

from emaild.cli.main import command
from emaild.errors import ConfigError
from emaild.log import events
from emaild.settings.crosscheck import secrets_of
from emaild.settings.load import Settings
from emaild.settings.option import options
from emaild.settings.property_map import CLASSES, FIELDS, full_name
from emaild.settings.reader import SECTIONS
from tests.conf_files import ConfFiles
from tests.said import Said

CANARY = "Quetzal+Macaw"
SERVER = ("server = localhost", "client-certificate = /dev/null", "application-certificate = /dev/null")
PROXY = ("mail.{0}.proxy.host = localhost", "mail.{0}.proxy.user = u")
AROUND = {
    "pop-client-a": (
        *SERVER,
        "mailbox = a",
        "type = POP3",
        "mail.imap.peek = true",
        *(line.format("pop3") for line in PROXY),
    ),
    "pop-client-b": (*SERVER, "mailbox = b", "type = IMAP", *(line.format("imap") for line in PROXY)),
    "smtp-client": (*SERVER, "user = u", *(line.format("smtp") for line in PROXY)),
    "proxy": ("useProxy = true", "host = localhost", "port = 1080", "user = u"),
    "secret-x": (),
    "api-token-x": (),
    "webhook": ("url = https://hooks.example.com/",),
    "email2-11111111-2222-3333-4444-555555555555": (),
}
"""What must stand beside the secrets, by section."""
HOLDERS = {
    "pop-client-a": ("password", "client-key-password", "application-key-password", "mail.pop3.proxy.password"),
    "pop-client-b": ("password", "client-key-password", "application-key-password", "mail.imap.proxy.password"),
    "smtp-client": ("password", "client-key-password", "application-key-password", "mail.smtp.proxy.password"),
    "proxy": ("password",),
    "secret-x": ("password",),
    "api-token-x": ("token",),
    "webhook": ("secret", "old-secret"),
    "email2-11111111-2222-3333-4444-555555555555": ("smtp-alt-password",),
}
PLACES = [(section, name) for section, names in HOLDERS.items() for name in names]

MISTAKES = {
    "unknown option": "zzz = 1",
    "indented": "  {name} = {secret}",
    "twice": "{name} = {secret}",
    "misspelt": "{name}x = {secret}",
    "colon": "{name}: {secret}",
    "colon, and an = in the secret": "{name}: {secret}==",
    "space": "{name} {secret}",
    "space, and an = in the secret": "{name} {secret}==",
    "space, and indented": " {name} {secret}==",
    "alone in a line": "{secret}",
    "below a wrong header": "[\n{name} = {secret}",
    "too long": "{name} = {secret}" + "x" * 70_000,
    "not UTF-8": "x = {secret}\udcff",
}


def secret_names(section: type[Any]) -> Iterator[str]:
    yield from (option.name for option in options(section) if option.parser.secret)
    for group, field in FIELDS.items():
        if field in section.__dataclass_fields__:
            yield from (full_name(group, one.name) for one in options(CLASSES[group]) if one.parser.secret)


def canary(number: int) -> str:
    """A secret that is right in every place: long, and Base64."""
    return f"{CANARY}{number}".ljust(36, "A")


@dataclass
class Kept:
    """How secrets are given: each another one, all with the canary in them."""

    way: str
    conf: ConfFiles
    environment: pytest.MonkeyPatch

    def given(self, number: int) -> str:
        """What stands in the conf file for the secret of that number."""
        secret, name = canary(number), f"EMAILD_TEST_SECRET_{number}"
        match self.way:
            case "literal":
                return secret
            case "env":
                self.environment.setenv(name, secret)
                return f"env:{name}"
            case "credential":
                self.environment.setenv("CREDENTIALS_DIRECTORY", str(self.conf.folder))
        path = self.conf.write(f"{secret}\n", name)
        return f"credential:{name}" if self.way == "credential" else f"file:{path}"

    def content(self) -> dict[str, list[str]]:
        """The lines of all sections."""
        lines = {section: list(around) for section, around in AROUND.items()}
        for number, (section, name) in enumerate(PLACES):
            lines[section].append(f"{name} = {self.given(number)}")
        return lines


@pytest.fixture(params=["literal", "file", "env", "credential"])
def kept(request: pytest.FixtureRequest, conf: ConfFiles, monkeypatch: pytest.MonkeyPatch) -> Kept:
    return Kept(request.param, conf, monkeypatch)


def joined(sections: dict[str, list[str]]) -> str:
    return "".join("\n".join([f"[{name}]", *lines, ""]) for name, lines in sections.items())


def without_canary(text: str) -> bool:
    """Something, and nothing of a secret in it: neither as it is nor as JSON or a representation writes it."""
    return bool(text) and re.search(r"quetzal|macaw", text, re.IGNORECASE) is None


def test_the_canary_sits_in_every_option_that_can_hold_a_secret(kept: Kept) -> None:
    named = {name for kind in SECTIONS for name in secret_names(kind)} - {"dkim-key"}  # no canary is a key: test_dkim
    assert named == {name for _, name in PLACES}
    held = [
        secret for one in kept.conf.load(joined(kept.content())).sections().values() for _, secret in secrets_of(one)
    ]
    assert sorted(secret.reveal() for secret in held) == sorted(map(canary, range(len(PLACES))))
    assert all(secret.literal is (kept.way == "literal") for secret in held)


def test_settings_and_their_warnings_hold_no_secret(kept: Kept) -> None:
    kept.conf.write(joined(kept.content())).chmod(0o644)
    settings = kept.conf.load()
    assert without_canary(repr(settings))
    assert without_canary(f"{settings} {settings.sections()} {settings.servers()} {settings.digest}")
    assert without_canary("\n".join(str(warning) for warning in settings.warnings))


@pytest.mark.parametrize(
    "arguments", [["check"], ["show"], ["show", "--json"], ["show", "smtp-client"], ["options"]], ids=" ".join
)
def test_no_command_about_settings_shows_a_secret(
    kept: Kept, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    path = kept.conf.write(joined(kept.content()))
    assert command([*arguments, "--conf", str(path)]) == 0
    assert without_canary("".join(capsys.readouterr()))


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
@pytest.mark.parametrize("section", AROUND)
def test_no_mistake_makes_a_secret_known(
    conf: ConfFiles,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    said: Said,
    section: str,
    mistake: str,
) -> None:
    for name in HOLDERS[section]:
        sections = Kept("literal", conf, monkeypatch).content()
        sections[section].append(mistake.format(name=name, secret=CANARY))
        conf.write(joined(sections).encode("utf-8", "surrogateescape"))
        with pytest.raises(ConfigError) as refused:
            conf.load()
        assert without_canary("\n".join([*refused.value.lines, repr(refused.value), str(refused.value)]))
        assert without_canary("".join(traceback.format_exception(refused.value)))
        assert command(["check", "--conf", str(conf.main)]) == 78
        assert without_canary("".join(capsys.readouterr()))
        events.reload_refused(faults=refused.value.lines)
        assert without_canary(str(said.all("reload.refused")))


@pytest.mark.parametrize(
    ("section", "name"),
    [
        ("pop-client-a", "server"),
        ("smtp-client", "server"),
        ("proxy", "host"),
        ("proxy", "port"),
        ("smtp-client", "mail.smtp.proxy.host"),
    ],
)
@pytest.mark.parametrize("url", ["https://u:{}@host/", "http://u:{}/x@host:80", "u:{}@host", "ftp://u:{}@[::1]"])
def test_no_secret_in_a_url_is_repeated(conf: ConfFiles, section: str, name: str, url: str) -> None:
    lines = [line for line in AROUND[section] if not line.startswith(f"{name} = ")]
    conf.write(joined({section: [*lines, f"{name} = {url.format(CANARY)}", "password = p"]}))
    with pytest.raises(ConfigError) as refused:
        conf.load()
    assert any(f"] {name}: " in line for line in refused.value.lines)
    assert without_canary("\n".join(refused.value.lines))


def test_no_event_about_settings_holds_a_secret(kept: Kept, said: Said) -> None:
    kept.conf.write(joined(kept.content())).chmod(0o644)
    settings = kept.conf.load()
    for warning in settings.warnings:
        events.conf_warned(message=str(warning))
    try:
        fails_with(settings)
    except RuntimeError:
        events.job_failed(job=str(settings.mailboxes))
    assert {"conf.warned", "job.failed"} <= set(said.names)
    assert without_canary(str(said.events))


def fails_with(settings: Settings) -> None:
    sections = settings.sections()
    raise RuntimeError(f"{sections}")


def test_no_traceback_that_shows_what_variables_held_shows_a_secret(kept: Kept) -> None:
    settings = kept.conf.load(joined(kept.content()))
    with pytest.raises(RuntimeError) as failed:
        fails_with(settings)
    error = failed.value
    plain = traceback.TracebackException.from_exception(error, capture_locals=True)
    assert "settings = Settings(" in (shown := "".join(plain.format()))
    assert without_canary(shown)
    screen = Console(file=io.StringIO(), width=200)
    screen.print(Traceback.from_exception(RuntimeError, error, error.__traceback__, show_locals=True))
    assert without_canary(screen.file.getvalue())  # type: ignore[attr-defined]
