"""The vault opens a value where it was sealed, with a key it has, unchanged; or it is refused."""

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from accounts.errors import SealBroken
from accounts.vault import seal, unseal

OLD, NEW = {"old": bytes(range(32))}, {"new": bytes(range(32, 64))}
HERE = "exchange_account/7/1/credentials"
CANARY = b"canary-plaintext"


@pytest.fixture(autouse=True)
def old_ring():
    with override_settings(VAULT_KEYS=OLD):
        yield


def refusal(token, bound_to=HERE):
    with pytest.raises(SealBroken) as refused:
        unseal(token, bound_to=bound_to)
    return str(refused.value)


@given(plaintext=st.binary(max_size=300), bound_to=st.text(max_size=80))
def test_what_is_sealed_opens_and_only_in_its_place(plaintext, bound_to):
    with override_settings(VAULT_KEYS=OLD):
        token = seal(plaintext, bound_to=bound_to)
        assert unseal(token, bound_to=bound_to) == plaintext
        refusal(token, bound_to + "x")


def test_the_same_value_is_never_sealed_alike_and_never_visible():
    tokens = {seal(CANARY, bound_to=HERE) for _ in range(50)}
    assert len(tokens) == 50
    assert not any(CANARY in token for token in tokens)


@pytest.mark.parametrize(
    "elsewhere",
    [
        pytest.param("exchange_account/8/1/credentials", id="other row"),
        pytest.param("exchange_account/7/2/credentials", id="other owner"),
        pytest.param("exchange_account/7/1/note", id="other column"),
        pytest.param("webhook/7/1/credentials", id="other table"),
        pytest.param("", id="nowhere"),
    ],
)
def test_a_value_copied_elsewhere_is_refused(elsewhere):
    assert "moved from another row" in refusal(seal(CANARY, bound_to=HERE), elsewhere)


def test_every_flipped_bit_is_refused():
    token = seal(CANARY, bound_to=HERE)
    for position in range(len(token) * 8):
        broken = bytearray(token)
        broken[position // 8] ^= 1 << position % 8
        assert "canary" not in refusal(bytes(broken))


def test_the_header_is_authenticated_even_where_two_ids_share_a_key():
    with override_settings(VAULT_KEYS={"one": OLD["old"], "two": OLD["old"]}):
        token = seal(CANARY, bound_to=HERE)
        assert "moved" in refusal(token.replace(b"one", b"two", 1))


def test_every_truncation_is_refused():
    token = seal(CANARY, bound_to=HERE)
    for length in range(len(token)):
        refusal(token[:length])
    refusal(token + b"\0")


@pytest.mark.parametrize(
    ("sealed_with", "opened_with", "opens"),
    [
        pytest.param(OLD, OLD, True, id="same key"),
        pytest.param(OLD, NEW | OLD, True, id="new key first, old one kept"),
        pytest.param(NEW | OLD, OLD | NEW, True, id="sealed with the first, opened with the last"),
        pytest.param(NEW | OLD, NEW, True, id="old key retired"),
        pytest.param(NEW | OLD, OLD, False, id="sealed with the first of the ring"),
        pytest.param(OLD, NEW, False, id="key lost"),
        pytest.param(OLD, {"old": NEW["new"]}, False, id="same id, other key"),
    ],
)
def test_the_first_key_seals_and_all_open(sealed_with, opened_with, opens):
    with override_settings(VAULT_KEYS=sealed_with):
        token = seal(CANARY, bound_to=HERE)
    with override_settings(VAULT_KEYS=opened_with):
        if opens:
            assert unseal(token, bound_to=HERE) == CANARY
        else:
            refusal(token)


def test_a_missing_key_is_named_so_that_it_can_be_put_back():
    token = seal(CANARY, bound_to=HERE)
    with override_settings(VAULT_KEYS=NEW):
        assert "'old'" in refusal(token)
        assert "AXISOR_VAULT_KEYS" in refusal(token)
