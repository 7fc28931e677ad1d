"""When even taking a change back fails."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest

from emaild.provision import conf_files
from emaild.provision.conf_files import changing
from emaild.provision.email2.commands import package_of
from emaild.provision.email2.folder import ConfFolder
from emaild.provision.email2.outcomes import outcomes
from tests.unit.provision.email2.documents import whole


def test_what_could_not_be_taken_back_is_answered_with_516(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    conf = tmp_path / "emaild.conf"
    conf.write_text("[emaild]\n")
    package = package_of(fromstring(f"<SyncBody>{whole()}</SyncBody>"))

    def sync(path: Path) -> None:
        if path.is_dir():
            raise OSError(5, "the disk is gone")

    with changing(conf) as files:
        monkeypatch.setattr(conf_files, "sync", sync)
        found = [*outcomes(package, ConfFolder(files))]
    codes = [int(one.code) for one in found][1:]
    assert codes == [507, *[516] * (len(codes) - 1)]
    assert "the disk is gone; not taken back: look at email2-" in found[1].words[0]
