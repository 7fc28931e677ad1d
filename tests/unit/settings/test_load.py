"""Conf files as a whole: which are read, and all of their mistakes at once."""

from __future__ import annotations

import pytest

from emaild.errors import ConfigError
from emaild.settings.daemon import EmaildSection, Unknown
from emaild.settings.files import read_files
from emaild.settings.load import current_digest, load
from tests.conf_files import MAILBOX, ConfFiles
from tests.privileges import as_nobody


def test_an_empty_file_is_all_defaults(conf: ConfFiles) -> None:
    settings = conf.load("")
    assert settings.emaild == EmaildSection()
    assert (dict(settings.mailboxes), dict(settings.ways_out)) == ({}, {})
    assert list(settings.sections()) == ["emaild", "email-processing", "discovery", "store", "log"]


def test_files_are_read_in_the_order_of_their_names(conf: ConfFiles) -> None:
    conf.write("", "conf.d/20-b.conf")
    conf.write("", "conf.d/10-a.conf")
    conf.write("", "conf.d/B.conf")
    files = conf.load("").files
    assert [path.name for path in files] == ["emaild.conf", "10-a.conf", "20-b.conf", "B.conf"]


@pytest.mark.parametrize("name", [".#a.conf", ".a.conf", "a.conf~", "a.conf.bak", "a.CONF", "#a.conf#", "README"])
def test_what_editors_leave_behind_in_conf_d_is_not_read(conf: ConfFiles, name: str) -> None:
    conf.write("nonsense", f"conf.d/{name}")
    assert conf.load("").files == (conf.main,)


def test_the_lock_of_emacs_harms_nothing(conf: ConfFiles) -> None:
    conf.write("", "conf.d/a.conf")
    (conf.folder / "conf.d/.#a.conf").symlink_to("ann@host.1234:1700000000")
    assert [path.name for path in conf.load("").files] == ["emaild.conf", "a.conf"]


def test_a_folder_stands_for_the_emaild_conf_in_it(conf: ConfFiles) -> None:
    conf.write("[log]\nverbose = debug\n")
    conf.write("", "conf.d/a.conf")
    assert load(conf.folder) == conf.load()
    assert list(read_files(conf.folder).files) == list(read_files(conf.main).files)


def test_a_mailbox_may_be_spread_over_files(conf: ConfFiles) -> None:
    conf.write("[pop-client]\npassword = hunter2\n", "conf.d/a.conf")
    settings = conf.load("[pop-client]\nserver = s\nmailbox = m\n")
    assert settings.mailboxes["pop-client"].server == "s"
    assert str(settings.origins["pop-client", "password"]) == f"{conf.folder}/conf.d/a.conf:2"


def test_mistakes_of_all_files_come_in_the_order_of_files_and_lines(conf: ConfFiles) -> None:
    conf.write("nonsense\n[log]\nverbose = loud\n", "conf.d/a.conf")
    conf.write("[emaild]\ninbound-workers = 0\n", "conf.d/b.conf")
    faults = conf.faults(
        f"[store]\nkeep-history = x\nkeep-history = 1\n[pop-client]\n{MAILBOX} a = b\n[log]\nwhat = 1\n"
    )
    assert [fault.split(": ")[0] for fault in faults] == [
        "emaild.conf:2",
        "emaild.conf:3",
        "emaild.conf:8",
        "emaild.conf:10",
        "conf.d/a.conf:1",
        "conf.d/a.conf:3",
        "conf.d/b.conf:2",
    ]


def test_a_missing_file_is_named(conf: ConfFiles) -> None:
    assert conf.faults() == ["emaild.conf:1: cannot read the file: No such file or directory"]


def test_a_file_that_is_a_folder_is_named(conf: ConfFiles) -> None:
    (conf.folder / "conf.d/x.conf").mkdir(parents=True)
    assert conf.faults("") == ["conf.d/x.conf:1: cannot read the file: Is a directory"]


def test_a_name_that_no_file_can_have_is_a_mistake_like_any(conf: ConfFiles) -> None:
    with pytest.raises(ConfigError, match="File name too long"):
        load(conf.folder / ("x" * 300))


def test_what_may_not_be_read_is_named_and_not_passed_over(conf: ConfFiles) -> None:
    conf.write("", "conf.d/a.conf")
    conf.write("")
    (conf.folder / "conf.d").chmod(0o300)
    conf.main.chmod(0)
    # Nobody may walk through the folders that pytest makes: go there first.
    with pytest.MonkeyPatch.context() as place:
        place.chdir(conf.folder)
        conf.folder.chmod(0o755)
        with as_nobody(), pytest.raises(ConfigError) as refused:
            load(conf.main.relative_to(conf.folder))
    (conf.folder / "conf.d").chmod(0o700)
    assert list(refused.value.lines) == [
        "emaild.conf:1: cannot read the file: Permission denied",
        "conf.d:1: cannot read the folder: Permission denied",
    ]


def test_a_folder_that_may_not_be_looked_into_is_a_mistake_like_any(conf: ConfFiles) -> None:
    conf.write("", "secret/emaild.conf")
    (conf.folder / "secret").chmod(0)
    with pytest.MonkeyPatch.context() as place:
        place.chdir(conf.folder)
        conf.folder.chmod(0o755)
        with as_nobody(), pytest.raises(ConfigError, match="Permission denied"):
            load((conf.folder / "secret/emaild.conf").relative_to(conf.folder))
    (conf.folder / "secret").chmod(0o700)


@pytest.mark.parametrize(
    ("line", "suggestion"),
    [
        ("cycle-tme = 30s", "; did you mean cycle-time?"),
        ("Cycle_Tme = 30s", "; did you mean cycle-time?"),
        ("pop-conection-security = none", "; did you mean pop-connection-security?"),
        ("zzz = 1", ""),
    ],
)
def test_an_unknown_option_is_refused_with_the_nearest_name(conf: ConfFiles, line: str, suggestion: str) -> None:
    name = line.partition(" ")[0]
    assert conf.faults(f"[pop-client]\n{MAILBOX}{line}\n") == [
        f"emaild.conf:5: [pop-client] {name}: unknown option{suggestion}"
    ]


@pytest.mark.parametrize(
    ("header", "suggestion"),
    [
        ("pop-cilent", "; did you mean pop-client?"),
        ("smtp_client", "; did you mean smtp-client?"),
        ("pop-client-", "; did you mean pop-client?"),
        ("zzz", ""),
    ],
)
def test_an_unknown_section_is_refused_with_the_nearest_name(conf: ConfFiles, header: str, suggestion: str) -> None:
    assert conf.faults(f"\n[{header}]\nx = 1\n") == [f"emaild.conf:2: [{header}]: unknown section{suggestion}"]


def test_unknown_names_can_be_warnings(conf: ConfFiles) -> None:
    content = "[zzz]\nx = 1\n[log]\nyyy = 1\n[Emaild]\nUnknown_Options = Warn\n"
    assert conf.warnings(content) == [
        "emaild.conf:1: [zzz]: unknown section",
        "emaild.conf:4: [log] yyy: unknown option",
    ]
    assert conf.load().emaild.unknown_options is Unknown.WARN


def test_unknown_names_that_are_warnings_do_not_hide_other_mistakes(conf: ConfFiles) -> None:
    assert conf.faults("[emaild]\nunknown-options = warn\nzzz = 1\n[log]\nverbose = loud\n") == [
        "emaild.conf:5: [log] verbose: expected all, debug, trace, interaction, standard or none, found 'loud'"
    ]


def test_an_unknown_option_does_not_hide_what_does_not_fit_together(conf: ConfFiles) -> None:
    faults = conf.faults(f"[pop-client]\n{MAILBOX}after-fetch = move\nzzz = 1\n")
    assert [fault.split(": ")[0] for fault in faults] == ["emaild.conf:5", "emaild.conf:5", "emaild.conf:6"]


def test_two_sections_that_read_one_mailbox_are_warned_of(conf: ConfFiles) -> None:
    other = MAILBOX.replace("ann", "bob")
    warnings = conf.warnings(f"[pop-client]\n{MAILBOX}[pop-client-b]\n{other}[pop-client-c]\nport = 1110\n{MAILBOX}")
    assert [warning.split(";")[0] for warning in warnings] == [
        "emaild.conf:12: [pop-client-c] mailbox: it reads the same mailbox as [pop-client]"
    ]


def test_what_must_be_given_is_missed_at_the_line_of_the_header(conf: ConfFiles) -> None:
    assert conf.faults("\n[pop-client]\nmailbox = m\n") == [
        "emaild.conf:2: [pop-client] server: it is missing; expected a host name or an IP address (for EWS a URL)",
        "emaild.conf:2: [pop-client] password: it is missing; expected a secret, or file:PATH, env:NAME or"
        " credential:NAME",
    ]


def test_what_must_be_given_must_not_be_empty(conf: ConfFiles) -> None:
    assert conf.faults("[smtp-client]\nserver =\n") == [
        "emaild.conf:2: [smtp-client] server: it is empty; expected a host name or an IP address (for EWS a URL)"
    ]


def test_a_wrong_value_is_shown_with_what_would_be_right(conf: ConfFiles) -> None:
    assert conf.faults("[store]\nkeep-history = many\n[emaild]\ntemplates = t\n") == [
        "emaild.conf:2: [store] keep-history: expected a whole number from 0 to 36500, found 'many'",
        "emaild.conf:4: [emaild] templates: expected an absolute path, found 't' (it must start with /,"
        " for a daemon has no folder of its own)",
    ]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("/" + "x" * 300, "no such folder"),
        ("~nobody-of-that-name", "no such user's home is known"),
        ("/dev/null", "no such folder"),
    ],
)
def test_a_folder_that_cannot_be_is_a_mistake_like_any(conf: ConfFiles, value: str, reason: str) -> None:
    (fault,) = conf.faults(f"[emaild]\ntemplates = {value}\n")
    assert reason in fault


def test_names_match_without_regard_to_case_hyphen_and_underscore(conf: ConfFiles) -> None:
    settings = conf.load(
        "[POP-Client-Sales]\nSERVER = s\nMailBox = m\nPassword = p\nCycle_Time = 1m\nenable-client = no\n"
    )
    section = settings.mailboxes["POP-Client-Sales"]
    assert (section.name, section.cycle_time, section.enable_client) == ("POP-Client-Sales", 60.0, False)


def test_where_an_option_comes_from_is_known_however_its_section_is_written(conf: ConfFiles) -> None:
    settings = conf.load("[EMAILD]\nDrain_Timeout = 5s\n[Log]\nverbose = all\n")
    assert {key: place.line for key, place in settings.origins.items()} == {
        ("emaild", "drain-timeout"): 2,
        ("log", "verbose"): 4,
    }


def test_the_digest_of_what_lies_there_is_that_of_what_was_read(conf: ConfFiles) -> None:
    conf.write("", "conf.d/a.conf")
    settings = conf.load("[log]\n")
    assert current_digest(conf.main) == settings.digest
    conf.write("# a comment\n", "conf.d/a.conf")
    assert current_digest(conf.main) != settings.digest


def test_a_file_that_cannot_be_read_any_more_changes_the_digest(conf: ConfFiles) -> None:
    settings = conf.load("")
    (conf.folder / "conf.d").mkdir()
    (conf.folder / "conf.d/a.conf").symlink_to("gone")
    assert current_digest(conf.main) != settings.digest
