"""What is sealed opens with its key, at its place, unchanged; and not otherwise."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.kit import sealing
from opsroom.kit.sealing import (
    BadMasterKey,
    Keyring,
    NoMasterKey,
    SealBroken,
    SealedByAnother,
    SealingKey,
)

KEY = SealingKey(bytes(range(32)))


@given(plain=st.binary(max_size=300), about=st.text(max_size=40))
def test_what_is_sealed_opens_at_its_place(plain: bytes, about: str) -> None:
    assert KEY.open(KEY.seal(plain, about=about), about=about) == plain


@given(data=st.data())
def test_a_seal_that_was_changed_is_broken(data: st.DataObject) -> None:
    sealed = KEY.seal(b"IBAN DE89", about="row/1")
    place = data.draw(st.integers(0, len(sealed) - 1))
    other = data.draw(st.sampled_from("aZ09-_.=!\u00e9").filter(lambda c: c != sealed[place]))
    with pytest.raises((SealBroken, SealedByAnother)):
        KEY.open(sealed[:place] + other + sealed[place + 1 :], about="row/1")
    with pytest.raises((SealBroken, SealedByAnother)):
        KEY.open(sealed[:place], about="row/1")


def test_a_seal_does_not_fit_another_place() -> None:
    with pytest.raises(SealBroken) as raised:
        KEY.open(KEY.seal(b"x", about="row/1"), about="row/2")
    assert raised.value.facts == {"about": "row/2"}


def test_the_same_text_is_never_sealed_the_same_way() -> None:
    assert KEY.seal(b"x", about="") != KEY.seal(b"x", about="")


def test_a_ring_seals_with_its_first_key_and_opens_with_all() -> None:
    older, newer = sealing.new_key(), sealing.new_key()
    before = Keyring((older,)).seal(b"x", about="a")
    ring = Keyring((newer, older))
    assert ring.open(before, about="a") == b"x"
    assert sealing.key_id(ring.seal(b"x", about="a"), about="a") == newer.id
    with pytest.raises(SealedByAnother) as raised:
        Keyring((newer,)).open(before, about="a")
    assert raised.value.key == older.id


def test_the_variable_goes_before_the_file_which_still_opens(tmp_path: Path) -> None:
    before = sealing.master({}, tmp_path).seal(b"x", about="a")
    named = sealing.new_key()
    both = sealing.master({sealing.VARIABLE: sealing.written(named)}, tmp_path)
    assert both.keys[0] == named
    assert both.open(before, about="a") == b"x"


def test_only_its_owner_may_read_the_file(tmp_path: Path) -> None:
    sealing.master({}, tmp_path)
    path = tmp_path / sealing.FILE
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(BadMasterKey):
        sealing.master({}, tmp_path)


def test_processes_that_begin_at_once_have_the_same_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        begun = [pool.submit(sealing.master, {}, tmp_path) for _ in range(16)]
        rings = [one.result() for one in begun]
    assert len(set(rings)) == 1
    assert [one.name for one in tmp_path.iterdir()] == [sealing.FILE]


@pytest.mark.parametrize("text", ["short", "!" * 44, "AAAA", "\u00e9" * 44])
def test_a_key_that_is_none_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(BadMasterKey) as raised:
        sealing.master({sealing.VARIABLE: text}, None)
    assert text not in str(raised.value.as_dict())


def test_a_shared_database_needs_the_variable() -> None:
    with pytest.raises(NoMasterKey):
        sealing.master({}, None)


def test_a_key_does_not_show() -> None:
    key = sealing.new_key()
    shown = repr(Keyring((key,)))
    assert sealing.written(key) not in shown
    assert key.secret.hex() not in shown


def test_no_key_is_made_where_another_has_sealed(tmp_path: Path) -> None:
    with pytest.raises(SealedByAnother):
        sealing.master({}, tmp_path, {KEY.id})
    assert list(tmp_path.iterdir()) == []


def test_every_key_that_sealed_has_to_be_there(tmp_path: Path) -> None:
    named = {sealing.VARIABLE: sealing.written(KEY)}
    assert sealing.master(named, None, {KEY.id}).keys == (KEY,)
    with pytest.raises(SealedByAnother):
        sealing.master(named, tmp_path, {KEY.id, sealing.new_key().id})


def test_a_key_is_on_the_disk_before_it_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[bool, set[str]]] = []

    def fsync(descriptor: int) -> None:
        folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        synced.append((folder, {one.name for one in tmp_path.iterdir()}))

    monkeypatch.setattr(os, "fsync", fsync)
    sealing.master({}, tmp_path)
    assert not synced[0][0]
    assert synced[-1] == (True, {sealing.FILE})
