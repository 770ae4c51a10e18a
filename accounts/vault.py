"""Secrets at rest: AES-256-GCM, a ring of keys, and every value bound to its place.

A token is

    version (1 byte) | length of key id (1 byte) | key id | nonce (12 bytes) | ciphertext and tag

The header, from version to nonce, is authenticated together with the place the value is bound to.
So a token opens only where it was sealed: copied to another row, user or column, it is refused
like one that was tampered with. The first key of `settings.VAULT_KEYS` seals, all of them open;
a new key is rolled out as the command `rotate_keys` says, which seals old values anew.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from accounts.errors import SealBroken

VERSION = 1
NONCE_BYTES = 12
TAG_BYTES = 16


@sensitive_variables()
def seal(plaintext: bytes, *, bound_to: str) -> bytes:
    """Encrypt `plaintext` with the ring's first key, for the place `bound_to` and no other.

    `bound_to` names table, row, owner and column; it is not secret and not stored.
    """
    key_id = first_key()
    key, name = settings.VAULT_KEYS[key_id], key_id.encode()
    nonce = os.urandom(NONCE_BYTES)
    header = bytes([VERSION, len(name)]) + name + nonce
    return header + AESGCM(key).encrypt(nonce, plaintext, header + bound_to.encode())


@sensitive_variables()
def unseal(token: bytes, *, bound_to: str) -> bytes:
    """Return what was sealed, or raise `SealBroken`; there is no third outcome."""
    header, ciphertext = _split(token)
    key = _key(header[2:-NONCE_BYTES])
    nonce = header[-NONCE_BYTES:]
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, header + bound_to.encode())
    except InvalidTag:
        raise SealBroken(
            "A sealed value does not open: it was changed, or moved from another row. Restore it "
            "from a backup, or disconnect the account and connect it again."
        ) from None


def first_key() -> str:
    """The id of the ring's key that seals."""
    return next(iter(settings.VAULT_KEYS))


def key_of(token: bytes) -> str:
    """The id of the key a token names, in the ring or not; `SealBroken` for what is no token."""
    header, _ = _split(token)
    return header[2:-NONCE_BYTES].decode(errors="replace")


def _split(token: bytes) -> tuple[bytes, bytes]:
    if len(token) < 2 or token[0] != VERSION:
        raise SealBroken(
            f"A sealed value is empty or not of layout {VERSION}: restore it from a backup, or "
            "run the release of Axisor that wrote it."
        )
    end = 2 + token[1] + NONCE_BYTES
    if len(token) < end + TAG_BYTES:
        raise SealBroken("A sealed value was cut short: restore it from a backup.")
    return token[:end], token[end:]


@sensitive_variables()
def _key(name: bytes) -> bytes:
    for key_id, key in settings.VAULT_KEYS.items():
        if key_id.encode() == name:
            return bytes(key)
    raise SealBroken(
        f"A sealed value needs the vault key {name.decode(errors='replace')!r}, which is not in "
        "AXISOR_VAULT_KEYS: put it back behind the keys in use, and restart."
    )
