"""Sealing without a database: keys are made, used, and their texts cannot be moved."""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from shared.sealing import (
    KeyFile,
    Sealer,
    UnreadableError,
    encrypt,
    key_of,
    sealed_text,
)

CHILD = uuid4()


@pytest.fixture
def sealer(tmp_path: Path) -> Sealer:
    KeyFile.create(tmp_path / "keys.json")
    return Sealer(KeyFile(tmp_path / "keys.json"))


def test_what_was_sealed_opens_again(sealer: Sealer) -> None:
    sealer.new_key(CHILD)

    sealed = sealer.seal(CHILD, "text", "n-1", "Äiti soitti".encode())

    assert sealer.open(sealed, "text", "n-1").decode() == "Äiti soitti"
    assert key_of(sealed) == CHILD
    assert "iti" not in sealed


@pytest.mark.parametrize(("field", "about"), [("person", "n-1"), ("text", "n-2")])
def test_a_sealed_text_moved_elsewhere_does_not_open(
    sealer: Sealer, field: str, about: str
) -> None:
    sealer.new_key(CHILD)
    sealed = sealer.seal(CHILD, "text", "n-1", b"content")

    with pytest.raises(UnreadableError):
        sealer.open(sealed, field, about)


def test_without_its_key_a_text_is_unreadable(sealer: Sealer) -> None:
    _, cipher = sealer.passing_key(CHILD)
    sealed = sealed_text(CHILD, encrypt(cipher, "text", "n-1", b"content"))

    with pytest.raises(UnreadableError):
        sealer.open(sealed, "text", "n-1")


@pytest.mark.parametrize("text", ["", "s1.x.y", "s1." + "0" * 32 + ".%%%", "plain text"])
def test_what_is_no_sealed_text_is_refused_the_same_way(sealer: Sealer, text: str) -> None:
    with pytest.raises(UnreadableError):
        sealer.open(text, "text", "n-1")


def test_a_data_key_is_bound_to_its_subject_and_its_kek(tmp_path: Path) -> None:
    for name in ("one", "two"):
        KeyFile.create(tmp_path / name)
    one, two = KeyFile(tmp_path / "one"), KeyFile(tmp_path / "two")
    wrapped = one.wrap(CHILD, b"k" * 32)

    assert one.unwrap(CHILD, wrapped.wrapped, wrapped.kek) == b"k" * 32
    with pytest.raises(UnreadableError):
        one.unwrap(uuid4(), wrapped.wrapped, wrapped.kek)
    with pytest.raises(UnreadableError):
        two.unwrap(CHILD, wrapped.wrapped, wrapped.kek)


def test_a_lookup_hash_finds_the_same_value_of_the_same_kind_only(tmp_path: Path) -> None:
    for name in ("one", "two"):
        KeyFile.create(tmp_path / name)
    keys = KeyFile(tmp_path / "one")

    digest = keys.lookup_hash("hetu", "010594Y9032")

    assert digest == keys.lookup_hash("hetu", "010594Y9032")
    assert digest != keys.lookup_hash("name", "010594Y9032")
    assert digest != KeyFile(tmp_path / "two").lookup_hash("hetu", "010594Y9032")


def test_a_batchs_own_new_keys_do_not_push_out_the_keys_it_uses(
    sealer: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.sealing.CACHE_SIZE", 3)
    sealer.new_key(CHILD)
    for _ in range(2):
        sealer.new_key(uuid4())
    assert sealer._cached(CHILD)  # looked for, as load() does
    sealer.new_key(uuid4())

    assert sealer.seal(CHILD, "text", "n-1", b"content")


def test_a_cached_key_dies_after_a_minute(sealer: Sealer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.sealing.time.monotonic", lambda: 1000.0)
    sealer.new_key(CHILD)
    monkeypatch.setattr("shared.sealing.time.monotonic", lambda: 1060.1)

    assert not sealer._cached(CHILD)


async def test_an_old_key_is_used_until_it_is_loaded_anew_and_dies_if_it_was_erased(
    sealer: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one batch asks PostgreSQL again, another may be sealing with the same key."""
    monkeypatch.setattr("shared.sealing.time.monotonic", lambda: 1000.0)
    sealer.new_key(CHILD)
    monkeypatch.setattr("shared.sealing.time.monotonic", lambda: 1060.1)

    async def erased(_conn: object, ids: Sequence[UUID]) -> list[tuple[UUID, bytes, str]]:
        assert [CHILD] == list(ids)
        assert sealer.seal(CHILD, "text", "n-1", b"content")
        return []

    monkeypatch.setattr("shared.store.data_keys", erased)
    await sealer.load(object(), [CHILD])  # type: ignore[arg-type]

    with pytest.raises(UnreadableError):
        sealer.seal(CHILD, "text", "n-1", b"content")


def test_a_key_file_is_its_owners_alone_and_never_written_over(tmp_path: Path) -> None:
    KeyFile.create(tmp_path / "keys.json")

    assert (tmp_path / "keys.json").stat().st_mode & 0o077 == 0
    with pytest.raises(FileExistsError):
        KeyFile.create(tmp_path / "keys.json")
