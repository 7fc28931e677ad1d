"""When even taking a change back fails."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import fromstring

from emaild.errors import InputError
from emaild.provision.conf_files import Changes, ConfFiles, changing
from emaild.provision.email2.commands import package_of
from emaild.provision.email2.folder import ConfFolder
from emaild.provision.email2.outcomes import outcomes
from emaild.settings.load import Settings
from tests.unit.provision.email2.documents import whole


class FailsAfterwards(ConfFiles):
    """Writes, and then neither goes on nor goes back, as a disk does that dies meanwhile."""

    def write(self, changes: Changes) -> Settings:
        super().write(changes)
        raise InputError("the disk is gone")


def test_what_could_not_be_taken_back_is_answered_with_516(tmp_path: Path) -> None:
    conf = tmp_path / "emaild.conf"
    conf.write_text("[emaild]\n")
    package = package_of(fromstring(f"<SyncBody>{whole()}</SyncBody>"))
    with changing(conf):
        found = [*outcomes(package, ConfFolder(FailsAfterwards(conf, tmp_path / "conf.d", lambda settings: ())))]
    codes = [int(one.code) for one in found][1:]
    assert codes == [507, *[516] * (len(codes) - 1)]
    assert "the disk is gone; not taken back: look at email2-" in found[1].words[0]
