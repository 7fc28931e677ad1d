"""Programs that a benchmark measures beside emaild, and what is said where this machine does not have them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import version

SYSTEM_FOLDERS = "/usr/local/sbin:/usr/sbin:/sbin"
PACKAGES = {
    "dovecot": "dovecot-imapd dovecot-pop3d dovecot-lmtpd",
    "fetchmail": "fetchmail",
    "mbsync": "isync",
    "postfix": "postfix",
    "smtp-sink": "postfix",
    "smtp-source": "postfix",
}
DISTRIBUTIONS = {"getmail": "getmail6"}  # from PyPI: Debian 12's waits a minute for a child that ended early, and fails


def needed(*programs: str, root: bool = False) -> None:
    """Go on only where the machine has them all, and with *root* where we are that user, as whom alone Postfix starts.

    Raises:
        SystemExit: with what to install, a program a line.
    """
    absent = [missing(program) for program in programs if not path_of(program)]
    if root and os.geteuid() != 0:
        absent.append("this starts a server that only root can start")
    if absent:
        sys.exit("\n".join(absent))


def there(program: str) -> bool:
    """Whether the machine has the program; where not, one line on standard error says what to install."""
    if path_of(program):
        return True
    print(f"{missing(program)}; its figures are left out", file=sys.stderr)
    return False


def missing(program: str) -> str:
    """That it is missing, and what to install."""
    if name := DISTRIBUTIONS.get(program):
        return f"{program} is missing: pip install {name}"
    return f"{program} is missing: apt-get install {PACKAGES.get(program, program)}"


def path_of(program: str) -> str:
    """Where it is; empty where it is not."""
    if program in DISTRIBUTIONS:
        return shutil.which(program, path=sysconfig.get_path("scripts")) or ""
    return shutil.which(program) or shutil.which(program, path=SYSTEM_FOLDERS) or ""


def version_of(program: str, name: str) -> str:
    """`NAME 1.2.3` as its package has it, or that the program is missing."""
    if not path_of(program):
        return missing(program)
    if distribution := DISTRIBUTIONS.get(program):
        return f"{name} {version(distribution)}"
    package = PACKAGES.get(program, program).split()[0]
    command = ["dpkg-query", "-W", "-f", "${Version}", package]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return f"{name} of unknown version"
    return f"{name} {said.partition(':')[2] or said}"
