"""Refresh tokens on disk."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from emaild.net.oauth.sealed import CREDENTIAL, SealBroken, Sealed
from emaild.settings.secret import CREDENTIALS_VARIABLE, Secret

TOKEN, NEWER = Secret("1//refresh-token"), Secret("1//another")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    (tmp_path / "state").mkdir(mode=0o700)
    return tmp_path / "state"


@pytest.fixture
def sealed(state: Path) -> Sealed:
    return sealed_in(state)


def sealed_in(state: Path, machine: str = "machine-id") -> Sealed:
    return Sealed(state, state.parent / machine)


def token_files(state: Path) -> list[Path]:
    return [path for path in (state / "tokens").iterdir() if not path.name.startswith(".")]


def test_what_is_written_is_read_by_its_name_alone(sealed: Sealed, state: Path) -> None:
    sealed.write("ann", TOKEN)
    sealed.write("ben", NEWER)
    assert sealed_in(state).read("ann") == TOKEN
    assert sealed_in(state).read("ben") == NEWER
    assert sealed.read("cem") is None


def test_nothing_of_it_is_readable_nor_anybody_elses(sealed: Sealed, state: Path) -> None:
    sealed.write("ann@example.com", TOKEN)
    files = [path for path in state.rglob("*") if path.is_file()]
    assert len(files) == 3
    for path in files:
        assert TOKEN.reveal().encode() not in path.read_bytes()
        assert b"ann" not in path.read_bytes() + path.name.encode()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((state / "tokens").stat().st_mode) == 0o700


def test_same_token_is_sealed_otherwise_each_time(sealed: Sealed, state: Path) -> None:
    sealed.write("ann", TOKEN)
    first, stamp = token_files(state)[0].read_bytes(), sealed.stamp("ann")
    sealed.write("ann", TOKEN)
    assert token_files(state)[0].read_bytes() != first
    assert sealed.stamp("ann") != stamp
    assert len(token_files(state)) == 1


@pytest.mark.parametrize("place", [0, 20, 21, 33, 40, -1])
def test_any_changed_byte_is_found(sealed: Sealed, state: Path, place: int) -> None:
    sealed.write("ann", TOKEN)
    (file,) = token_files(state)
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)
    with pytest.raises(SealBroken):
        sealed.read("ann")


@pytest.mark.parametrize("content", [b"", b"x", b"emaild sealed 1 file\n", b"\xff" * 1000, bytes(1 << 20)])
def test_bytes_from_elsewhere_are_no_token(sealed: Sealed, state: Path, content: bytes) -> None:
    sealed.write("ann", TOKEN)
    token_files(state)[0].write_bytes(content)
    with pytest.raises(SealBroken):
        sealed.read("ann")


def test_token_under_another_name_is_no_token(sealed: Sealed, state: Path) -> None:
    sealed.write("ann", TOKEN)
    (of_ann,) = token_files(state)
    sealed.write("ben", NEWER)
    (of_ben,) = [path for path in token_files(state) if path != of_ann]
    os.replace(of_ann, of_ben)
    with pytest.raises(SealBroken):
        sealed.read("ben")


def test_copy_without_its_key_or_on_another_machine_cannot_be_opened(sealed: Sealed, state: Path) -> None:
    sealed.write("ann", TOKEN)
    (state.parent / "other-id").write_text("f" * 32)
    with pytest.raises(SealBroken):
        sealed_in(state, "other-id").read("ann")
    assert sealed.read("ann") == TOKEN
    key = state / "seal.key"
    kept = key.read_bytes()
    for damaged in (None, b"", kept[:-1], bytes(32)):
        key.unlink() if damaged is None else key.write_bytes(damaged)
        with pytest.raises(SealBroken):
            sealed.read("ann")


@pytest.mark.parametrize("left", [None, b"", b"short"])
def test_new_token_is_kept_where_the_key_is_gone(sealed: Sealed, state: Path, left: bytes | None) -> None:
    sealed.write("ann", TOKEN)
    (state / "seal.key").unlink()
    if left is not None:
        (state / "seal.key").write_bytes(left)
    sealed.write("ann", NEWER)
    assert sealed_in(state).read("ann") == NEWER


def test_machine_without_an_id_keeps_tokens_too(state: Path) -> None:
    sealed_in(state, "none").write("ann", TOKEN)
    assert sealed_in(state, "none").read("ann") == TOKEN


def test_credential_of_systemd_is_the_key_and_no_file_is_made(
    sealed: Sealed, state: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / CREDENTIAL).write_text("the installation's own")
    monkeypatch.setenv(CREDENTIALS_VARIABLE, str(tmp_path / "given"))
    sealed.write("ann", TOKEN)
    assert not (state / "seal.key").exists()
    assert sealed.read("ann") == TOKEN
    (tmp_path / "given" / CREDENTIAL).write_text("another's")
    with pytest.raises(SealBroken):
        sealed.read("ann")


def test_sign_in_outside_the_unit_is_read_inside_where_there_is_a_credential(
    sealed: Sealed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sealed.write("ann", TOKEN)
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / CREDENTIAL).write_text("the installation's own")
    monkeypatch.setenv(CREDENTIALS_VARIABLE, str(tmp_path / "given"))
    assert sealed.read("ann") == TOKEN


def test_replacing_gives_way_to_a_sign_in_meanwhile(sealed: Sealed) -> None:
    sealed.write("ann", TOKEN)
    sealed.write("ann", NEWER)
    sealed.replace("ann", TOKEN, Secret("what followed the first"))
    assert sealed.read("ann") == NEWER
    sealed.replace("ann", NEWER, Secret("what followed the second"))
    assert sealed.read("ann") == Secret("what followed the second")
    sealed.replace("ben", TOKEN, NEWER)
    assert sealed.read("ben") is None


def test_failed_write_leaves_the_token_of_before_and_no_rubbish(
    sealed: Sealed, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed.write("ann", TOKEN)
    before = sorted(path.name for path in (state / "tokens").iterdir())

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        sealed.write("ann", NEWER)
    monkeypatch.undo()
    assert sealed.read("ann") == TOKEN
    assert sorted(path.name for path in (state / "tokens").iterdir()) == before


def test_token_is_on_the_disk_before_it_has_its_name(
    sealed: Sealed, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    replace, fsync = os.replace, os.fsync

    def synced(descriptor: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def renamed(old: str, new: Path) -> None:
        steps.append("name")
        replace(old, new)

    sealed.write("ann", TOKEN)
    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", renamed)
    sealed.write("ann", NEWER)
    assert steps == ["file", "name", "folder"]
