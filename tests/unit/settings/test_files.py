"""Which files are read: their order, and what is no conf file."""

from __future__ import annotations

import os

from tests.conf_files import ConfFiles


def test_files_are_read_where_they_are_included_and_conf_d_at_last(conf: ConfFiles) -> None:
    conf.write("[emaild]\ninclude = deeper/*.conf\n", "sites/b.conf")
    conf.write("", "sites/a.conf")
    conf.write("", "sites/deeper/z.conf")
    conf.write("[emaild]\ninclude = ../extra\n", "conf.d/10.conf")
    conf.write("", "conf.d/20.conf")
    conf.write("", "extra")
    conf.write("", "first.conf")
    read = conf.load("[emaild]\ninclude = first.conf, sites/*.conf, sites/a.conf\n").files
    assert [str(path.relative_to(conf.folder)) for path in read] == [
        "emaild.conf",
        "first.conf",
        "sites/a.conf",
        "sites/b.conf",
        "sites/deeper/z.conf",
        "conf.d/10.conf",
        "extra",
        "conf.d/20.conf",
    ]


def test_what_an_earlier_file_sets_a_later_one_cannot(conf: ConfFiles) -> None:
    conf.write("[store]\nkeep-history = 8\n", "more.conf")
    (fault,) = conf.faults("[emaild]\ninclude = more.conf\n[store]\nkeep-history = 7\n")
    assert fault.startswith("more.conf:2: [store] keep-history: it stands already at ")


def test_any_spelling_of_include_includes(conf: ConfFiles) -> None:
    conf.write("", "more.conf")
    assert len(conf.load("[EMAILD]\nIn_Clude = more.conf\n").files) == 2


def test_a_pipe_that_is_included_is_refused_and_not_waited_for(conf: ConfFiles) -> None:
    os.mkfifo(conf.folder / "pipe")
    assert conf.faults("[emaild]\ninclude = pi*\n") == [
        "emaild.conf:2: [emaild] include: pi*: cannot read the file: it is no file"
    ]


def test_a_file_too_large_for_a_conf_is_refused(conf: ConfFiles) -> None:
    assert conf.faults(b"#" * ((16 << 20) + 1)) == ["emaild.conf:1: cannot read the file: it is larger than 16 MiB"]
