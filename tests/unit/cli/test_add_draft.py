"""What `emaild add` keeps of a sign-in: with the conf file, or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from emaild.cli.add_draft import Draft, kept
from emaild.errors import Conflict
from emaild.net.oauth import Sealed
from emaild.settings.secret import Secret

NEW, OLD = Secret("new"), Secret("old")


def test_where_the_conf_file_cannot_be_written_the_sign_ins_are_what_they_were(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    Sealed(state).write("known", OLD)

    def fail() -> None:
        assert (Sealed(state).read("known"), Sealed(state).read("first")) == (NEW, NEW)
        raise Conflict

    with pytest.raises(Conflict), kept(state, {"known": NEW, "first": NEW}):
        fail()
    assert (Sealed(state).read("known"), Sealed(state).read("first")) == (OLD, None)
    with kept(state, {"known": NEW}):
        pass
    assert Sealed(state).read("known") == NEW


def test_a_secret_is_in_the_environment_only_while_the_files_are_read(tmp_path: Path) -> None:
    conf = tmp_path / "emaild.conf"
    conf.write_text("")
    draft = Draft(
        conf=conf,
        texts=lambda words: {
            "a.conf": f"[smtp-client]\nserver = h\nuser = ann\npassword = {words('a.password')}\n".encode()
        },
        secrets={"a.password": "file:hunter2 "},
        sections=("smtp-client",),
    )
    password = draft.settings().ways_out["smtp-client"].password
    assert password is not None
    assert password.reveal() == "file:hunter2 ", "whatever it looks like"
    assert not [name for name in os.environ if name.startswith("EMAILD_ADD")]
    assert "hunter2" not in repr(draft)
    settings = draft.write()
    assert settings.ways_out["smtp-client"].password == Secret("file:hunter2 ")
    with pytest.raises(Conflict, match=r"a\.conf is there already"):
        draft.write()
