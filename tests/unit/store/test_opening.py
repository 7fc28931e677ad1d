"""Opening a store: a fresh one, one of today, one of tomorrow, and what is none."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect
from sqlalchemy.engine import Inspector

from emaild.errors import StateUnusable, StoreTooNew
from emaild.store import open_store, schema
from emaild.store.engine import FILE
from emaild.store.migrations import CURRENT
from tests.privileges import as_nobody
from tests.samples import kept, taken


def change(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / FILE)) as connection, connection:
        connection.execute(statement)


def described(inspector: Inspector) -> dict[str, Any]:
    """Tables, columns, keys and indexes, in a form that can be compared."""

    def plain(things: list[Any]) -> list[str]:
        return sorted(repr(sorted((key, shown(value)) for key, value in thing.items())) for thing in things)

    def shown(value: Any) -> str:
        return repr({name: str(one) for name, one in value.items()}) if isinstance(value, dict) else str(value)

    return {
        name: {
            "columns": plain(list(inspector.get_columns(name))),
            "key": inspector.get_pk_constraint(name)["constrained_columns"],
            "foreign": plain(list(inspector.get_foreign_keys(name))),
            "indexes": plain(list(inspector.get_indexes(name))),
        }
        for name in sorted(inspector.get_table_names())
    }


def test_a_store_made_by_all_migrations_is_what_the_tables_say(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    migrated = create_engine(f"sqlite:///{tmp_path / FILE}")
    declared = create_engine("sqlite://")
    try:
        schema.TABLES.create_all(declared)
        assert described(inspect(migrated)) == described(inspect(declared))
    finally:
        migrated.dispose()
        declared.dispose()


def test_a_fresh_store_is_of_todays_version_and_nobody_elses_business(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    folder = tmp_path / "made" / "on the way"
    open_store(folder, lambda old, new: told.append((old, new))).close()
    with closing(sqlite3.connect(folder / FILE)) as connection:
        assert connection.execute("SELECT version FROM schema_version").fetchall() == [(CURRENT,)]
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert told == []
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / FILE).stat().st_mode & 0o777 == 0o600


def test_what_was_kept_is_there_when_the_store_is_opened_again(tmp_path: Path) -> None:
    inbound, entry = taken("1")
    first = open_store(tmp_path)
    kept(first, "account", [(inbound, entry)], settled=False)
    first.close()
    second = open_store(tmp_path)
    assert second.interactions.raw(second.interactions.get(entry.id)) == inbound.raw
    second.close()


def test_a_store_of_a_newer_emaild_is_left_alone(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    change(tmp_path, f"UPDATE schema_version SET version = {CURRENT + 1}")
    with pytest.raises(StoreTooNew) as refused:
        open_store(tmp_path)
    assert str(refused.value) == (
        f"{tmp_path / FILE}: written by a newer emaild (store version {CURRENT + 1}, this one knows"
        f" {CURRENT}); run that newer emaild, or restore a backup from before"
    )
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        assert connection.execute("SELECT version FROM schema_version").fetchone() == (CURRENT + 1,)


@pytest.mark.parametrize("content", [b"this is no store\n" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_file_that_is_no_store_is_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(StateUnusable, match="the store cannot be opened"):
        open_store(tmp_path)
    assert (tmp_path / FILE).read_bytes() == content


def test_a_store_whose_version_is_lost_is_refused(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    change(tmp_path, "DELETE FROM schema_version")
    with pytest.raises(StateUnusable, match="the store cannot be opened"):
        open_store(tmp_path)


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(StateUnusable):
        open_store(tmp_path)


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(StateUnusable, match="the state directory must exist and belong to the user"):
        open_store(tmp_path / "state")


@pytest.mark.parametrize("exists", [True, False], ids=["folder there", "folder missing"])
def test_a_folder_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, exists: bool) -> None:
    monkeypatch.chdir(tmp_path)
    tmp_path.chmod(0o555)
    if exists:
        tmp_path.chmod(0o755)
        Path("state").mkdir(mode=0o555)
        tmp_path.chmod(0o555)
    with as_nobody(), pytest.raises(StateUnusable, match="state: Permission denied; the state directory must exist"):
        open_store(Path("state"))
    tmp_path.chmod(0o755)


def test_a_store_that_may_only_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tmp_path.chmod(0o755)
    open_store(Path("state")).close()
    os.chmod("state", 0o555)
    os.chmod(f"state/{FILE}", 0o444)
    with as_nobody(), pytest.raises(StateUnusable):
        open_store(Path("state"))
    os.chmod("state", 0o755)
