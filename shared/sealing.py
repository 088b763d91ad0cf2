"""Sealing: envelope encryption of persons and free text (design.md 17).

One data key per subject, wrapped by a key-encryption key from a file. A sealed text is
``s1.<key id>.<nonce and ciphertext, base64url>``; what it is about and which field it is are
authenticated with it, so a ciphertext cannot be moved to another record or field.
Destroying a subject's key makes every copy unreadable.
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
import time
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared import store
from shared.database import Connection
from shared.randomness import random_bytes

CACHE_SECONDS = 60.0
CACHE_SIZE = 50_000
_NONCE = 12


class UnreadableError(Exception):
    """The key is gone or the text was moved or altered; says nothing of the content."""


class NewKey(NamedTuple):
    """A data key made in this transaction, to be stored with what it sealed."""

    id: UUID
    wrapped: bytes
    kek: str


class KeyFile:
    """Key-encryption keys and the key of lookup hashes, from one JSON file.

    ``{"current": "k1", "keys": {"k1": "<32 bytes, base64>"}, "lookup": "<32 bytes, base64>"}``
    """

    def __init__(self, path: Path) -> None:
        content = json.loads(path.read_text())
        self.current: str = content["current"]
        self._keks = {name: AESGCM(base64.b64decode(key)) for name, key in content["keys"].items()}
        self._lookup = base64.b64decode(content["lookup"])

    @staticmethod
    def create(path: Path) -> None:
        """Write a new file with fresh keys, readable by the owner alone."""
        content = {
            "current": "k1",
            "keys": {"k1": base64.b64encode(os.urandom(32)).decode()},
            "lookup": base64.b64encode(os.urandom(32)).decode(),
        }
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(content, file)

    def wrap(self, key_id: UUID, key: bytes) -> NewKey:
        """The data key, sealed under the current key-encryption key."""
        nonce = random_bytes(_NONCE)
        sealed = self._keks[self.current].encrypt(nonce, key, key_id.bytes)
        return NewKey(key_id, nonce + sealed, self.current)

    def unwrap(self, key_id: UUID, wrapped: bytes, kek: str) -> bytes:
        """The data key in the clear; raises `UnreadableError`."""
        try:
            return self._keks[kek].decrypt(wrapped[:_NONCE], wrapped[_NONCE:], key_id.bytes)
        except (KeyError, InvalidTag):
            raise UnreadableError("the key-encryption key does not open this data key") from None

    def lookup_hash(self, kind: str, value: str) -> bytes:
        """A keyed hash (HMAC-SHA-256) that finds `value` again and tells nobody else anything."""
        return hmac.digest(self._lookup, f"{kind}\0{value}".encode(), hashlib.sha256)


class Sealer:
    """Seals and opens under data keys. Keys are cached at most 60 s, so that an erased one dies."""

    def __init__(self, keys: KeyFile) -> None:
        self.keys = keys
        # Keys, not ciphers: a cipher is some 2.5 kB and made in 2 µs.
        self._cache: OrderedDict[UUID, tuple[float, bytes]] = OrderedDict()

    def new_key(self, key_id: UUID) -> NewKey:
        """Make a data key for a subject; the caller stores it in the same transaction."""
        key = random_bytes(32)
        self._remember(key_id, key)
        return self.keys.wrap(key_id, key)

    def passing_key(self, key_id: UUID) -> tuple[NewKey, AESGCM]:
        """A data key of a subject that is sealed once: not worth a place in the cache."""
        key = random_bytes(32)
        return self.keys.wrap(key_id, key), AESGCM(key)

    async def load(self, conn: Connection, key_ids: Sequence[UUID]) -> None:
        """Fetch the data keys that are not cached, in one statement."""
        missing = {key_id for key_id in key_ids if not self._cached(key_id)}
        for key_id, wrapped, kek in await store.data_keys(conn, [*missing]) if missing else ():
            self._remember(key_id, self.keys.unwrap(key_id, wrapped, kek))
            missing.discard(key_id)
        for key_id in missing:  # erased
            self._cache.pop(key_id, None)

    def holds(self, key_id: UUID) -> bool:
        """Whether its data key is there; False after `load` means that it has been erased."""
        return key_id in self._cache

    def seal(self, key_id: UUID, field: str, about: str, plain: bytes) -> str:
        """Seal under a cached key (`new_key` or `load` came before)."""
        return sealed_text(key_id, encrypt(self._key(key_id), field, about, plain))

    def seal_bytes(self, key_id: UUID, field: str, about: str, plain: bytes) -> bytes:
        """As `seal`, without the key id and in bytes: for a column that knows its subject."""
        return encrypt(self._key(key_id), field, about, plain)

    def open(self, sealed: str, field: str, about: str) -> bytes:
        """The plain bytes; raises `UnreadableError`. The key must have been loaded."""
        try:
            _, key_id, content = sealed.split(".")
            raw = base64.urlsafe_b64decode(content + "=" * (-len(content) % 4))
            return self.open_bytes(UUID(key_id), field, about, raw)
        except (ValueError, binascii.Error):
            raise UnreadableError("not a sealed text") from None

    def open_bytes(self, key_id: UUID, field: str, about: str, raw: bytes) -> bytes:
        """As `open`, for what `seal_bytes` made."""
        key, data = self._key(key_id), f"{field}\0{about}".encode()
        try:
            return key.decrypt(raw[:_NONCE], raw[_NONCE:], data)
        except InvalidTag:
            raise UnreadableError("moved or altered") from None

    def _key(self, key_id: UUID) -> AESGCM:
        try:
            return AESGCM(self._cache[key_id][1])
        except KeyError:
            raise UnreadableError("the data key is gone") from None

    def _cached(self, key_id: UUID) -> bool:
        entry = self._cache.get(key_id)
        if entry is None:
            return False
        if time.monotonic() - entry[0] > CACHE_SECONDS:
            return False  # it stays until it is loaded anew: another batch may be sealing with it
        self._cache.move_to_end(key_id)  # a batch's own new keys must not push it out
        return True

    def _remember(self, key_id: UUID, key: bytes) -> None:
        self._cache[key_id] = (time.monotonic(), key)
        if len(self._cache) > CACHE_SIZE:
            self._cache.popitem(last=False)


def encrypt(cipher: AESGCM, field: str, about: str, plain: bytes) -> bytes:
    """Nonce and ciphertext; what it is about and which field it is are authenticated with it."""
    return encrypt_with(cipher, new_nonce(), field, about, plain)


def new_nonce() -> bytes:
    """A nonce for one `encrypt_with`. Drawn in the event loop's thread alone (`random_bytes`)."""
    return random_bytes(_NONCE)


def encrypt_with(cipher: AESGCM, nonce: bytes, field: str, about: str, plain: bytes) -> bytes:
    """As `encrypt`, for a worker thread: the nonce was drawn before and serves this once."""
    return nonce + cipher.encrypt(nonce, plain, f"{field}\0{about}".encode())


def sealed_text(key_id: UUID, content: bytes) -> str:
    """The text form of what `encrypt` made."""
    return f"s1.{key_id.hex}.{base64.urlsafe_b64encode(content).rstrip(b'=').decode()}"


def key_of(sealed: str) -> UUID:
    """The id of the data key a text was sealed under."""
    return UUID(sealed.split(".", 2)[1])
