"""RS256 is held against `cryptography`: same signatures, same keys read, and what is no key is an error."""

import contextlib

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdallm.llm.auth.rs256 import read_key, sign

from .conftest import pem_of


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
def test_a_signature_is_the_one_that_cryptography_makes(bits):
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    for message in (b"", b"header.claims", bytes(10_000)):
        expected = key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        assert sign(message, read_key(pem_of(key))) == expected


@settings(deadline=None, max_examples=30)
@given(message=st.binary(max_size=300))
def test_every_signature_verifies(rsa_key, message):
    signature = sign(message, read_key(pem_of(rsa_key)))
    rsa_key.public_key().verify(signature, message, padding.PKCS1v15(), hashes.SHA256())


def test_both_forms_of_pem_are_read(rsa_key):
    older = pem_of(rsa_key, serialization.PrivateFormat.TraditionalOpenSSL)
    assert "RSA PRIVATE KEY" in older
    assert read_key(older) == read_key(pem_of(rsa_key)) == read_key(pem_of(rsa_key).replace("\n", "\r\n"))


def test_a_key_shows_only_its_size(rsa_key):
    assert repr(read_key(pem_of(rsa_key))) == "RsaKey(2048 bits)"


def test_a_key_whose_parts_do_not_fit_signs_nothing(rsa_key):
    key = read_key(pem_of(rsa_key))
    with pytest.raises(ValueError, match="don't fit together"):
        sign(b"x", key.replace(dp=key.dp + 2))


def test_a_small_key_is_refused():
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    with pytest.raises(ValueError, match="has 1024 bits"):
        read_key(pem_of(small))


def test_another_kind_of_key_is_refused():
    with pytest.raises(ValueError, match="not an RSA key"):
        read_key(pem_of(ec.generate_private_key(ec.SECP256R1())))


def test_an_encrypted_key_is_refused(rsa_key):
    locked = rsa_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"word")
    ).decode()
    with pytest.raises(ValueError, match="encrypted keys"):
        read_key(locked)


@pytest.mark.parametrize(
    "pem", ["", "no key", "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----"]
)
def test_what_is_no_key_is_an_error(pem):
    with pytest.raises(ValueError, match=r"key|block"):
        read_key(pem)


@settings(deadline=None)
@given(data=st.data())
def test_a_damaged_key_is_an_error_or_another_key_and_never_anything_else(rsa_key, data):
    lines = pem_of(rsa_key).splitlines()
    body = list("".join(lines[1:-1]))
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.sampled_from("ABCz019+/=é\n "))
    with contextlib.suppress(ValueError):
        sign(b"x", read_key("\n".join([lines[0], "".join(body), lines[-1]])))
