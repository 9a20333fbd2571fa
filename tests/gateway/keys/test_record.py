"""What is stored of a key: compact, sealed, and nobody else's."""

import pytest

from lambdallm.gateway.keys.record import MOST_CHARACTERS, KeyRecord, decode, encode

PEPPERS = (b"a pepper of thirty-two characters",)
FULL = KeyRecord(
    "YWxpY2U.bnVtYmVy", "alice", "h" * 43, 1_700_000_000, "laptop", ("gpt-*", "claude-*"), 60, 100_000, 5.0, 100.5,
    {"team": "search", "place": "Zürich"}, 1_800_000_000, 1_750_000_000, "o" * 43, 1_760_000_000,
)  # fmt: skip
BARE = KeyRecord("YWxpY2U.bnVtYmVy", "alice", "h" * 43, 1_700_000_000)


@pytest.mark.parametrize("record", [FULL, BARE])
def test_a_record_comes_back(record):
    assert decode(encode(record, PEPPERS), "alice", PEPPERS) == record


def test_a_record_is_short():
    assert len(encode(BARE, PEPPERS)) < 130
    assert len(encode(FULL, PEPPERS)) < 400 < MOST_CHARACTERS


def test_a_record_that_was_changed_is_none():
    text = encode(FULL, PEPPERS)
    assert decode(text.replace('"r":60', '"r":6000'), "alice", PEPPERS) is None


def test_another_users_record_is_none():
    assert decode(encode(FULL, PEPPERS), "mallory", PEPPERS) is None


def test_a_record_that_was_made_without_the_pepper_is_none():
    assert decode(encode(FULL, (b"",)), "alice", PEPPERS) is None
    assert decode(encode(FULL, (b"",)), "alice", (*PEPPERS, b"")) == FULL


@pytest.mark.parametrize("text", ["", "x", "{}", "é" * 30, encode(BARE, PEPPERS)[:-1]])
def test_other_texts_are_none(text):
    assert decode(text, "alice", PEPPERS) is None


def test_what_administrators_are_told_has_no_hash():
    told = FULL.told(1_755_000_000)
    assert not {"hash", "old_hash"} & told.keys()
    assert "h" * 43 not in str(told)
    assert (told["status"], told["old_secret_until"]) == ("revoked", 1_760_000_000)


def test_a_key_is_active_until_it_expires_or_is_revoked():
    assert BARE.status(2e9) == "active"
    assert BARE.replace(expires_at=100).status(99.9) == "active"
    assert BARE.replace(expires_at=100).status(100.0) == "expired"
    assert FULL.status(0.0) == "revoked"


def test_a_caller_has_what_the_key_may_do():
    caller = FULL.caller()
    assert (caller.key_id, caller.user, caller.name, caller.admin) == (FULL.id, "alice", "laptop", False)
    assert (caller.models, caller.requests_per_minute) == (FULL.models, 60)
    assert (caller.tokens_per_minute, caller.daily_budget_usd, caller.monthly_budget_usd) == (100_000, 5.0, 100.5)
    assert caller.labels == FULL.labels
