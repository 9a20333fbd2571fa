"""The text of a key, and what is stored of it."""

from hypothesis import given
from hypothesis import strategies as st

from lambdallm.gateway.keys.key import PREFIX, Shown, fits, hashed, key_id, read, user_of, written

PEPPERS = (b"a pepper of thirty-two characters",)
ID = key_id("alice@example.com", b"number")
KEY = written(PREFIX, ID, bytes(32), PEPPERS)

users = st.text(st.characters(min_codepoint=33, exclude_categories=["Cs"]), min_size=1, max_size=128)


def test_a_key_has_a_prefix_the_user_a_number_and_a_secret():
    start, number, secret = KEY.split(".")
    assert start == "sk-llm-YWxpY2VAZXhhbXBsZS5jb20"
    assert (number, len(secret)) == ("bnVtYmVy", 48)


@given(users, st.binary(min_size=6, max_size=6), st.binary(min_size=32, max_size=32))
def test_what_is_written_is_read(user, number, secret):
    id = key_id(user, number)
    shown = read(written("sk", id, secret, PEPPERS), "sk", PEPPERS)
    assert (shown.id, shown.user) == (id, user)
    assert user_of(id) == user


@given(st.text(max_size=200))
def test_any_other_text_is_none(text):
    assert read(text, PREFIX, PEPPERS) is None
    assert read(f"{PREFIX}-{text}", PREFIX, PEPPERS) is None


@given(st.integers(0, len(KEY) - 1), st.sampled_from("aZ9-_.=+ "))
def test_a_key_with_another_character_anywhere_is_none(place, character):
    changed = KEY[:place] + character + KEY[place + 1 :]
    assert (read(changed, PREFIX, PEPPERS) is None) == (changed != KEY)


def test_without_the_pepper_nobody_makes_what_looks_like_a_key():
    assert read(written(PREFIX, ID, bytes(32), (b"",)), PREFIX, PEPPERS) is None


def test_keys_of_an_older_pepper_are_read():
    assert read(written(PREFIX, ID, bytes(32), (b"",)), PREFIX, (*PEPPERS, b"")) is not None


def test_a_text_that_is_too_long_is_none():
    assert read(written(PREFIX, key_id("x" * 2000, b"number"), bytes(32), PEPPERS), PREFIX, PEPPERS) is None


def test_one_hash_fits_one_secret_of_one_key_under_one_pepper():
    shown = read(KEY, PREFIX, PEPPERS)
    stored = hashed(shown.id, shown.secret, PEPPERS[0])
    assert fits(shown, stored, PEPPERS)
    assert fits(shown, stored, (b"newer", *PEPPERS))
    assert not fits(shown, stored, (b"other",))
    assert not fits(shown.replace(secret=shown.secret[::-1]), stored, PEPPERS)
    assert not fits(shown.replace(id=key_id("bob", b"number")), stored, PEPPERS)


def test_the_hash_and_the_repr_have_nothing_of_the_secret():
    shown = Shown("id", "user", "the-secret")
    assert "the-secret" not in repr(shown)
    assert "the-secret" not in hashed("id", "the-secret", b"")
