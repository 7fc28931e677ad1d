"""JavaMail's properties: each is known, and each does in a section what is said of it.

`javamail-properties.tsv` lists all of them: name, type, category, and what is to become of it.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from emaild.settings.load import Settings
from emaild.settings.mailbox import MailboxSection
from emaild.settings.network import ProxySection
from emaild.settings.option import Option, options
from emaild.settings.property_map import FIELDS, PROPERTIES, PROTOCOLS, Property, Treatment
from emaild.settings.way_out import WayOutSection
from tests.conf_files import MAILBOX, ConfFiles

LIST = Path(__file__).parent / "javamail-properties.tsv"
WANTED = {row["property"]: row for row in csv.DictReader(LIST.read_text().splitlines(), delimiter="\t")}
TREATMENTS = {
    "honour, or refuse with the reason": {Treatment.HONOURED, Treatment.REFUSED},
    "honour": {Treatment.HONOURED},
    "refuse and name the option": {Treatment.CONTROLLED},
    "refuse: set ": {Treatment.INTERNAL},
    "refuse: would log credentials": {Treatment.REFUSED},
    "accept with a warning": {Treatment.WITHOUT_EFFECT},
    "accept": {Treatment.ALWAYS},
}
CATEGORIES = {Treatment.CONTROLLED: "controlled", Treatment.INTERNAL: "internal"}
"""All others are "free"."""

POP3 = f"[pop-client]\n{MAILBOX}type = POP3\n"
IMAP = f"[pop-client]\n{MAILBOX}type = IMAP\n"
SMTP = "[smtp-client]\nserver = localhost\nenable-authentication = yes\nuser = ann\npassword = hunter2\n"
SECTIONS = {"pop3": POP3, "imap": IMAP, "smtp": SMTP}
OF_ANOTHER = "it is of another protocol than this section's, and has no effect"

SAMPLES = {
    "writetimeout": "1000",
    "localaddress": "127.0.0.1",
    "localport": "2000",
    "auth.mechanisms": "PLAIN",
    "auth.ntlm.domain": "EXAMPLE",
    "ssl.trust": "mail.example.com",
    "ssl.protocols": "TLSv1.3",
    "ssl.ciphersuites": "TLS_AES_256_GCM_SHA384",
    "ssl.socketFactory.port": "2993",
    "proxy.host": "proxy.example.com",
    "proxy.port": "3128",
    "proxy.user": "ann",
    "proxy.password": "hunter2",
    "sasl.mechanisms": "LOGIN",
    "sasl.authorizationid": "bob",
    "sasl.realm": "example",
    "fetchsize": "65536",
    "connectionpoolsize": "0",
    "connectionpooltimeout": "45000",
    "proxyauth.user": "bob",
    "minidletime": "100",
    "compress.level": "9",
    "from": "bounces@example.com",
    "localhost": "mx.example.com",
    "submitter": "ann@example.com",
    "dsn.notify": "FAILURE,DELAY",
    "dsn.ret": "HDRS",
    "mailextension": "SIZE=1",
    "alternates": "bob@example.com",
    "ews.auth.mechanisms": "XOAUTH2",
    "charset": "windows-1252",
}
PARTNERS = {"proxy.user": ("proxy.host", "proxy.password"), "proxy.password": ("proxy.host", "proxy.user")}


def of(*treatments: Treatment) -> list[Property]:
    return [known for known in PROPERTIES.values() if known.treatment in treatments]


def sections(known: Property) -> list[str]:
    """The sections in which a property counts."""
    return [SECTIONS[known.group]] if known.group in SECTIONS else [POP3, IMAP, SMTP]


def sample(option: Option) -> str:
    """A value that is not the default."""
    if option.parser.expects.startswith("true or false"):
        return "false" if option.default == "true" else "true"
    return SAMPLES[option.name]


def server_of(settings: Settings) -> MailboxSection | WayOutSection:
    (section,) = settings.servers()
    return section


def fault_of(conf: ConfFiles, section: str, known: Property, value: str) -> str:
    """The only fault of a section with that property in its last line, without the place and the names."""
    (fault,) = conf.faults(f"{section}{known.name} = {value}\n")
    return at_last_line(fault, section, known)


def at_last_line(said: str, section: str, known: Property) -> str:
    header = section.partition("\n")[0]
    before = f"emaild.conf:{section.count(chr(10)) + 1}: {header} {known.name}: "
    assert said.startswith(before)
    return said.removeprefix(before)


def test_the_properties_are_those_of_the_list_and_no_others() -> None:
    assert sorted(known.name for known in PROPERTIES.values()) == sorted(WANTED)


@pytest.mark.parametrize("name", WANTED)
def test_a_property_is_treated_as_the_list_says(name: str) -> None:
    known, row = PROPERTIES[name.lower()], WANTED[name]
    wanted = next(kinds for words, kinds in TREATMENTS.items() if row["emaild must"].startswith(words))
    assert known.treatment in wanted
    assert row["category"] == CATEGORIES.get(known.treatment, "free")


@pytest.mark.parametrize("known", of(Treatment.CONTROLLED), ids=lambda known: known.name)
def test_a_controlled_property_is_refused_with_the_option_that_controls_it(conf: ConfFiles, known: Property) -> None:
    assert known.other is not None
    wanted = WANTED[known.name]["emaild must"].partition("controls it: ")[2].split(" / ")
    assert any(option in known.other.why for option in wanted)
    declared = {option.name for kind in (MailboxSection, WayOutSection, ProxySection) for option in options(kind)}
    assert known.other.why.removeprefix("[proxy] ").partition(" ")[0] in declared
    for section in sections(known):
        wrong = f"it cannot be set; the option {known.other.why} controls it"
        assert fault_of(conf, section, known, "1") == wrong


@pytest.mark.parametrize("known", of(Treatment.INTERNAL), ids=lambda known: known.name)
def test_a_property_that_emaild_sets_is_refused_with_what_sets_it(conf: ConfFiles, known: Property) -> None:
    assert known.other is not None
    setter = f"the option {known.other.why} sets it" if known.other.why else "emaild sets it itself"
    assert WANTED[known.name]["emaild must"].endswith(f"set by {known.other.why}" if known.other.why else "modifiable")
    for section in sections(known):
        assert fault_of(conf, section, known, "x") == f"it cannot be set; {setter}"


@pytest.mark.parametrize("known", of(Treatment.REFUSED), ids=lambda known: known.name)
def test_a_property_that_would_do_harm_is_refused_with_the_reason(conf: ConfFiles, known: Property) -> None:
    assert known.other is not None
    for section in sections(known):
        assert fault_of(conf, section, known, "true") == f"it cannot be set: {known.other.why}"


@pytest.mark.parametrize("known", of(Treatment.WITHOUT_EFFECT), ids=lambda known: known.name)
def test_a_property_without_effect_is_accepted_with_a_warning_and_changes_nothing(
    conf: ConfFiles, known: Property
) -> None:
    assert known.other is not None
    for section in sections(known):
        plain = conf.load(section)
        (warning,) = conf.warnings(f"{section}{known.name} = x\n")
        assert at_last_line(warning, section, known) == f"it has no effect here: {known.other.why}"
        assert conf.load() == plain


@pytest.mark.parametrize("known", of(Treatment.ALWAYS), ids=lambda known: known.name)
def test_what_is_always_so_warns_only_where_it_is_to_be_otherwise(conf: ConfFiles, known: Property) -> None:
    assert known.other is not None
    for section in sections(known):
        assert conf.warnings(f"{section}{known.name} = true\n") == []
        (warning,) = conf.warnings(f"{section}{known.name} = false\n")
        assert at_last_line(warning, section, known) == f"false has no effect: {known.other.why}"


@pytest.mark.parametrize("known", of(Treatment.HONOURED), ids=lambda known: known.name)
def test_an_honoured_property_changes_its_section_and_is_known_to_be_given(conf: ConfFiles, known: Property) -> None:
    assert known.option is not None
    partners = [PROPERTIES[f"mail.{known.group}.{name}"] for name in PARTNERS.get(known.option.name, ())]
    given = [known, *partners]
    lines = "".join(f"{one.name} = {sample(one.option)}\n" for one in given if one.option)
    for section in sections(known):
        plain, settings = conf.load(section), conf.load(section + lines)
        before, after = server_of(plain), server_of(settings)
        values = [getattr(getattr(one, FIELDS[known.group]), known.option.field) for one in (before, after)]
        assert values[0] != values[1]
        assert before != after
        assert settings.origins[after.name, known.name].line == section.count("\n") + 1
        assert (before.name, known.name) not in plain.origins


@pytest.mark.parametrize("section", SECTIONS)
def test_properties_of_another_protocol_are_told_of_and_change_nothing(conf: ConfFiles, section: str) -> None:
    others = [known for known in of(Treatment.HONOURED) if known.group in {*PROTOCOLS} - {section}]
    plain = conf.load(SECTIONS[section])
    for known in others:
        (warning,) = conf.warnings(f"{SECTIONS[section]}{known.name} = x\n")
        assert at_last_line(warning, SECTIONS[section], known) == OF_ANOTHER
        assert conf.load() == plain


@pytest.mark.parametrize("known", of(Treatment.HONOURED), ids=lambda known: known.name)
def test_case_does_not_matter_in_the_name_of_a_property(conf: ConfFiles, known: Property) -> None:
    assert known.option is not None
    if known.option.name in PARTNERS:
        return
    section = sections(known)[0]
    settings = conf.load(f"{section}{known.name.upper()} = {sample(known.option)}\n")
    assert settings == conf.load(f"{section}{known.name} = {sample(known.option)}\n")
    assert (server_of(settings).name, known.name) in settings.origins
