"""Being the owner of the state directory for a while, so that no file in it ever belongs to root."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def as_owner(directory: Path) -> Iterator[None]:
    """As root go on as the directory's owner, and be root again at the end; everybody else stays who they are."""
    status = directory.stat()
    if os.geteuid() != 0 or status.st_uid == 0:
        yield
        return
    groups, group = os.getgroups(), os.getegid()
    try:
        take_groups(status)
        os.setegid(status.st_gid)
        os.seteuid(status.st_uid)
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        os.setgroups(groups)


def take_groups(status: os.stat_result) -> None:
    """As root be in the groups of an owner, and in no others."""
    try:
        os.initgroups(pwd.getpwuid(status.st_uid).pw_name, status.st_gid)
    except KeyError:  # an owner without a name is in no further groups
        os.setgroups([])
