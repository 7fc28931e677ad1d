"""What `emaild check` finds in rules beside their own lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from emaild.services import rule_checks
from tests.conf_files import ConfFiles

WAY = "[smtp-client]\nserver = localhost\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Templates with one sound response, and one that is not."""
    folder = tmp_path / "templates"
    for name, text in (("thanks", "Thank you, <$ Contact.FirstName $>"), ("broken", "<$ Contact. $>")):
        (folder / "responses" / name).mkdir(parents=True)
        (folder / "responses" / name / "body.txt").write_text(text, encoding="utf-8")
    return folder


def faults(conf: ConfFiles, folder: Path, text: str) -> list[str]:
    found = rule_checks.faults(conf.load(f"{text}\n[emaild]\ntemplates = {folder}\n"))
    return [str(fault).removeprefix(f"{conf.folder}/") for fault in found]


def test_a_rule_whose_response_and_codes_are_sound_is_good(conf: ConfFiles, folder: Path) -> None:
    text = "[rule-a]\nservice = Acknowledge\nSrlId = thanks\nSubject = Re: <$ Interaction.Subject $>\n"
    assert (
        faults(conf, folder, f"{text}[rule-b]\nthen-queue = q\n[rule-c]\nservice = Acknowledge\nSrlId =\nText = x\n")
        == []
    )


@pytest.mark.parametrize("name", ["SrlId", "standard-response"])
def test_a_response_that_is_not_there_is_told_at_its_line(conf: ConfFiles, folder: Path, name: str) -> None:
    (fault,) = faults(conf, folder, f"[rule-a]\nservice = Acknowledge\n{name} = lost\n")
    assert fault.startswith(f"emaild.conf:3: [rule-a] {name}: there is no standard response lost in {folder}/responses")


def test_a_response_by_a_name_that_none_can_have_is_told(conf: ConfFiles, folder: Path) -> None:
    (fault,) = faults(conf, folder, "[rule-a]\nservice = Acknowledge\nSrlId = ../thanks\n")
    assert fault.startswith("emaild.conf:3: [rule-a] SrlId: '../thanks' is no name of a standard response")


def test_what_is_wrong_in_a_response_that_is_there_is_told_at_the_rule_that_needs_it(
    conf: ConfFiles, folder: Path
) -> None:
    (fault,) = faults(conf, folder, "[rule-a]\nservice = Acknowledge\nSrlId = broken\n")
    assert fault.startswith(f"emaild.conf:3: [rule-a] SrlId: {folder}/responses/broken/body.txt:1: ")


@pytest.mark.parametrize("sender", ["nobody", "a@x.example, b@x.example", "Ann <a@>"])
def test_dynamics_10_a_response_whose_own_sender_is_no_address_is_told(
    conf: ConfFiles, folder: Path, sender: str
) -> None:
    own = folder / "responses" / "thanks" / "response.conf"
    own.write_text(f"[response]\nsubject = Thanks\nfrom = {sender}\n", encoding="utf-8")
    (fault,) = faults(conf, folder, "[rule-a]\nservice = Acknowledge\nSrlId = thanks\n")
    assert fault.startswith(f"emaild.conf:3: [rule-a] SrlId: {own}:3: [response] from: ")
    own.write_text("[response]\nfrom = Ann <a@x.example>\n", encoding="utf-8")
    assert faults(conf, folder, "[rule-a]\nservice = Acknowledge\nSrlId = thanks\n") == []


@pytest.mark.parametrize("section", ["[smtp-client]\nserver = localhost", "[api-token-x]\ntoken = 0123456789abcdef"])
def test_an_override_that_no_mail_can_carry_is_told(conf: ConfFiles, folder: Path, section: str) -> None:
    (fault,) = faults(conf, folder, f"{section}\nsender-override = Ann, Bob <ann@x.example\n")
    assert fault.startswith("emaild.conf:3: [")
    assert "sender-override: 'Ann, Bob <ann@x.example' is no e-mail address" in fault
    assert faults(conf, folder, f"{section}\nsender-override = Büro <a@x.example>\n") == []


@pytest.mark.parametrize("name", ["Subject", "text", "Html"])
def test_wrong_field_codes_are_told_at_their_line(conf: ConfFiles, folder: Path, name: str) -> None:
    (fault,) = faults(conf, folder, f"[rule-a]\nservice = Forward\n{name} = Hello <$ Contact. $>\nTo = a@b.c\n")
    assert fault.startswith(f"emaild.conf:3: [rule-a] {name}: ")
    assert fault.endswith("(line 1, column 17)")


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("Text = <$Foo.Bar$>", "Foo.Bar is unknown; expected a listed property, FieldCodes.Foo.Bar in this section"),
        ("Subject = <$If(IsEmpty(Text(Foo)), -Foo, 1 + Foo.Count)$>", "Foo is unknown; expected a listed property"),
        ("From = not an address", "'not an address' is no e-mail address"),
        ("cc = a@b.c, d", "'a@b.c, d' is no e-mail address"),
        ("Headers.Received = x", "the header field Received "),
        ("Header.Xä = 1", "'Xä' is no name of a header field"),
        ("Locale = zz_top_x", ""),
    ],
)
def test_what_would_fail_for_every_mail_is_told_at_its_line(
    conf: ConfFiles, folder: Path, line: str, fault: str
) -> None:
    (found,) = faults(conf, folder, f"[rule-a]\nservice = Forward\nTo = a@b.c\n{line}\n")
    assert found.startswith(f"emaild.conf:4: [rule-a] {line.partition(' =')[0]}: {fault}"), found


def test_codes_that_the_section_or_a_file_gives_are_known(conf: ConfFiles, folder: Path) -> None:
    (folder / "field-codes").mkdir()
    (folder / "field-codes" / "my.sign.txt").write_text("Bye", encoding="utf-8")
    text = "Text = <$My.Sign$> <$foo$> <$Contact.EmailAddresses.Count$>\nFieldCode.Foo = 1\n"
    assert faults(conf, folder, f"[rule-a]\nservice = Forward\nTo = a@b.c\n{text}") == []


def test_a_rule_that_writes_to_ourselves_is_warned_of(conf: ConfFiles) -> None:
    box = "[pop-client]\nserver = localhost\nmailbox = sales@us.example\npassword = hunter2\n"
    rule = f"{WAY}[rule-a]\nservice = Forward\nTo = Sales <Sales@us.example>\n"
    (warning,) = rule_checks.warnings(conf.load(f"{box}{rule}"))
    assert "[rule-a] To: sales@us.example is a mailbox of ours" in str(warning)


def test_a_rule_that_sends_without_a_way_out_is_warned_of(conf: ConfFiles) -> None:
    rules = "[rule-a]\nservice = AutoResponse\nText = x\n[rule-b]\nthen-queue = q\n"
    resting = "[rule-c]\nenable-rule = no\nservice = Acknowledge\nText = x\n"
    (warning,) = rule_checks.warnings(conf.load(rules + resting))
    assert str(warning).removeprefix(f"{conf.folder}/") == (
        "emaild.conf:2: [rule-a] service: there is no way out, so that AutoResponse fails for every mail;"
        " add an [smtp-client] section"
    )
    assert list(rule_checks.warnings(conf.load(rules + WAY))) == []
