"""An installed wheel finds what comes with emaild, as a checkout does."""

import subprocess
import sys
import zipfile
from pathlib import Path

from emaild import __version__
from emaild.shipped import shipped

TOP = Path(__file__).parents[2]
SHIPPED = ("conf/emaild.conf", "systemd/emaild.service", "systemd/emaild.sysusers", "templates/notices/test-mail.txt")


def test_a_checkout_finds_conf_templates_and_unit() -> None:
    for name in SHIPPED:
        folder, _, file = name.partition("/")
        assert shipped(folder) / file == TOP / name
        assert (TOP / name).is_file()


def test_an_installed_wheel_finds_conf_templates_and_unit(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=TOP, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name.startswith(f"emaild-{__version__}-")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    for name in SHIPPED:
        folder, _, file = name.partition("/")
        script = f"from emaild.shipped import shipped; print(shipped({folder!r}) / {file!r})"
        found = subprocess.run(
            [sys.executable, "-c", script], cwd=installed, check=True, capture_output=True, text=True
        ).stdout.strip()
        assert Path(found).is_relative_to(installed)
        assert Path(found).read_bytes() == (TOP / name).read_bytes()
    script = "from emaild.diagnosis import diagnose; print(diagnose('550', '5.1.1 no').cause)"
    ran = subprocess.run([sys.executable, "-c", script], cwd=installed, check=True, capture_output=True, text=True)
    assert ran.stdout == "mailbox-unknown\n"
