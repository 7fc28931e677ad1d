"""Settings are values: equal means that nothing changed, and a changed value is a change whatever changed it."""

from __future__ import annotations

from pathlib import Path

import pytest

from emaild.settings.option import options, section_kind
from emaild.settings.reader import SECTIONS
from tests.conf_files import MAILBOX, MUST, ConfFiles


def with_all_defaults(kind: type, required: str) -> str:
    """A section with each of its defaults written out."""
    given = {line.partition(" ")[0] for line in required.splitlines()}
    lines = [f"{declared.name} = {declared.default or ''}" for declared in options(kind) if declared.name not in given]
    return f"[{written(kind)}]\n{required}" + "\n".join(lines) + "\n"


def written(kind: type) -> str:
    """A section's name as it may stand in a conf file."""
    return section_kind(kind).spellings[0].replace("NAME", "x")


@pytest.mark.parametrize("kind", SECTIONS, ids=lambda kind: section_kind(kind).name)
def test_writing_out_defaults_is_no_change(conf: ConfFiles, kind: type) -> None:
    required = MUST.get(written(kind), "")
    plain = conf.load(f"[{written(kind)}]\n{required}")
    assert conf.load(with_all_defaults(kind, required)) == plain


@pytest.mark.parametrize(
    "spelling",
    [
        f"# a comment\n\n[POP-client]\n{MAILBOX}".replace("POP", "pop"),
        f"[pop-client]\n{MAILBOX}cycle-time = 0.5m\n",
        f"[log]\n[pop-client]\n{MAILBOX}[store]\n",
        "[pop-client]\npassword=hunter2\n[pop-client]\nMAILBOX=ann\nServer=localhost\n",
    ],
)
def test_another_spelling_is_no_change(conf: ConfFiles, spelling: str) -> None:
    plain = conf.load(f"[pop-client]\n{MAILBOX}")
    other = conf.load(spelling)
    assert other == plain
    assert other.digest != plain.digest


def test_another_value_is_a_change_of_its_section_alone(conf: ConfFiles) -> None:
    content = f"[pop-client]\n{MAILBOX}[pop-client-b]\n{MAILBOX}"
    plain, other = conf.load(content), conf.load(content + "cycle-time = 1m\n")
    assert other != plain
    assert other.mailboxes["pop-client"] == plain.mailboxes["pop-client"]
    assert other.mailboxes["pop-client-b"] != plain.mailboxes["pop-client-b"]


def test_a_rotated_secret_file_is_a_change(conf: ConfFiles) -> None:
    secret = conf.write("old\n", "secret")
    content = f"[pop-client]\nserver = s\nmailbox = m\npassword = file:{secret}\n"
    before = conf.load(content)
    conf.write("old", "secret")
    assert conf.load() == before
    conf.write("new\n", "secret")
    assert conf.load() != before


def test_moving_an_unchanged_secret_is_no_change(conf: ConfFiles) -> None:
    secret = conf.write("hunter2\n", "secret")
    moved = MAILBOX.replace("hunter2", f"file:{secret}")
    assert conf.load(f"[pop-client]\n{MAILBOX}") == conf.load(f"[pop-client]\n{moved}")


def test_settings_cannot_be_changed(conf: ConfFiles) -> None:
    settings = conf.load(f"[pop-client]\n{MAILBOX}")
    with pytest.raises(AttributeError):
        settings.log = settings.log  # type: ignore[misc]
    with pytest.raises(TypeError):
        settings.mailboxes["x"] = settings.mailboxes["pop-client"]  # type: ignore[index]
    with pytest.raises(AttributeError):
        settings.emaild.templates = Path("/")  # type: ignore[misc]
