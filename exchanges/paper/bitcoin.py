"""Addresses and Lightning invoices: made for play money, and read as the network writes them. Pure.

Everything made here is for regtest, a network without money: a payment to it cannot go astray.
What is read may be of any network. Formats: BIP 173 (bech32), BIP 350 (bech32m), BOLT 11.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from hashlib import sha256

from exchanges.inverse_futures import SATS_PER_BTC

CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
BECH32, BECH32M = 1, 0x2BC830A3
CHECKSUM_LENGTH = 6
NETWORKS = ("bc", "tb", "tbs", "bcrt")
OWN_NETWORK = "bcrt"
MULTIPLIERS = {
    "": Decimal(1),
    "m": Decimal("1e-3"),
    "u": Decimal("1e-6"),
    "n": Decimal("1e-9"),
    "p": Decimal("1e-12"),
}
TIMESTAMP_WORDS, SIGNATURE_WORDS, HASH_WORDS = 7, 104, 52
PAYMENT_HASH_FIELD = 1
MAX_INVOICE = 2000


class AddressFormat(StrEnum):
    """What kind of Bitcoin address is given out."""

    P2TR = "p2tr"
    P2WPKH = "p2wpkh"


@dataclass(frozen=True, slots=True)
class Invoice:
    """What a Lightning invoice asks for; `payment_hash` in hexadecimal."""

    amount: int
    payment_hash: str


def make_address(format_: AddressFormat, *, seed: str) -> str:
    """An address that nobody can spend from, the same for the same seed."""
    digest = sha256(seed.encode()).digest()
    version, program = (1, digest) if format_ is AddressFormat.P2TR else (0, digest[:20])
    words = [version, *_regroup(program, 8, 5)]
    return _encode(OWN_NETWORK, words, BECH32M if version else BECH32)


def is_address(text: str) -> bool:
    """Whether it is a SegWit address of any network."""
    try:
        prefix, words, variant = _decode(text)
        version, program = words[0], bytes(_regroup(words[1:], 5, 8))
    except (ValueError, IndexError):
        return False
    if prefix not in NETWORKS or variant != (BECH32M if version else BECH32):
        return False
    return len(program) in (20, 32) if version == 0 else version <= 16 and 2 <= len(program) <= 40


def make_invoice(amount: int, *, payment_hash: str, at: datetime) -> str:
    """A Lightning invoice over `amount` sats. Its signature is made up."""
    prefix = f"ln{OWN_NETWORK}{amount * 10}n"
    hash_words = _regroup(bytes.fromhex(payment_hash), 8, 5)
    words = [
        *_number(int(at.timestamp()), TIMESTAMP_WORDS),
        PAYMENT_HASH_FIELD,
        *_number(HASH_WORDS, 2),
        *hash_words,
        *(hash_words * 2),
    ]
    return _encode(prefix, words, BECH32)


def read_invoice(text: str) -> Invoice:
    """Raises `ValueError` when it is not an invoice over an amount."""
    prefix, words, variant = _decode(text[:MAX_INVOICE])
    if variant != BECH32 or len(words) < TIMESTAMP_WORDS + SIGNATURE_WORDS:
        raise ValueError("not an invoice")
    return Invoice(
        amount=_amount(prefix),
        payment_hash=_payment_hash(words[TIMESTAMP_WORDS:-SIGNATURE_WORDS]),
    )


def _amount(prefix: str) -> int:
    """Sats, rounded up, out of `ln`, network, number and multiplier."""
    network = next(
        (net for net in sorted(NETWORKS, key=len, reverse=True) if prefix.startswith(f"ln{net}")),
        None,
    )
    if network is None:
        raise ValueError("of an unknown network")
    amount = prefix.removeprefix(f"ln{network}")
    number = amount.rstrip("munp")
    if not (number.isascii() and number.isdecimal() and amount[len(number) :] in MULTIPLIERS):
        raise ValueError("without an amount")
    exact = int(number) * MULTIPLIERS[amount[len(number) :]] * SATS_PER_BTC
    sats = int(exact.to_integral_value(ROUND_CEILING))
    if not sats:
        raise ValueError("over nothing")
    return sats


def _payment_hash(words: Sequence[int]) -> str:
    """The value of the field that names it, among the tagged fields."""
    while len(words) >= 3:
        length = words[1] * 32 + words[2]
        value = words[3 : 3 + length]
        if words[0] == PAYMENT_HASH_FIELD and len(value) == HASH_WORDS:
            return bytes(_regroup([*value, 0], 5, 8)[:32]).hex()
        words = words[3 + length :]
    raise ValueError("without a payment hash")


def _encode(prefix: str, words: Sequence[int], variant: int) -> str:
    polymod = _polymod([*_expanded(prefix), *words, *[0] * CHECKSUM_LENGTH]) ^ variant
    checksum = [polymod >> 5 * (5 - i) & 31 for i in range(CHECKSUM_LENGTH)]
    return f"{prefix}1{''.join(CHARSET[word] for word in (*words, *checksum))}"


def _decode(text: str) -> tuple[str, list[int], int]:
    """Prefix, words and the variant that the checksum fits. Raises `ValueError`."""
    if text not in (text.lower(), text.upper()) or not text.isascii():
        raise ValueError("letters of both cases")
    prefix, separator, data = text.lower().rpartition("1")
    if not separator or len(data) < CHECKSUM_LENGTH:
        raise ValueError("too short")
    words = [CHARSET.index(character) for character in data]
    variant = _polymod([*_expanded(prefix), *words])
    return prefix, words[:-CHECKSUM_LENGTH], variant


def _expanded(prefix: str) -> list[int]:
    codes = [ord(character) for character in prefix]
    return [*(code >> 5 for code in codes), 0, *(code & 31 for code in codes)]


def _polymod(words: Iterable[int]) -> int:
    checksum = 1
    for word in words:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ word
        for bit, generator in enumerate(GENERATORS):
            checksum ^= generator if top >> bit & 1 else 0
    return checksum


def _number(value: int, words: int) -> list[int]:
    return [value >> 5 * (words - 1 - i) & 31 for i in range(words)]


def _regroup(values: Iterable[int], of: int, into: int) -> list[int]:
    """The same bits in groups of another size; the last is filled up with zeros, or dropped."""
    bits = "".join(f"{value:0{of}b}" for value in values)
    if into < of:
        bits += "0" * (-len(bits) % into)
    usable = len(bits) - len(bits) % into
    return [int(bits[i : i + into], 2) for i in range(0, usable, into)]
