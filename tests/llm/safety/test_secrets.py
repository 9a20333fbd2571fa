"""Credentials are found in every form they have, and nothing else is."""

import pytest

from lambdallm.llm.safety import SecretsFilter
from lambdallm.llm.safety.secrets import RULES
from look_alikes import BY_KIND, HARMLESS, KEY_BODY, PASSWORDS, PRIVATE_KEY

secrets = SecretsFilter()


@pytest.mark.parametrize("kind", BY_KIND)
@pytest.mark.parametrize("around", ["{}", "the key {}.", "key={},", '"{}"', "`{}`", "({})", "A_{}\n", "Bearer:{}"])
def test_every_form_is_found_wherever_it_stands(kind, around):
    for secret in BY_KIND[kind]:
        passed = secrets.apply(around.format(secret))
        assert f"[{kind}]" in passed or "[PASSWORD]" in passed
        assert secret[8:20] not in passed


@pytest.mark.parametrize(("text", "secret"), PASSWORDS)
def test_a_value_whose_name_says_what_it_is_is_replaced_alone(text, secret):
    passed = secrets.apply(text.replace("X", secret))
    before, after = text.split("X")
    assert secret not in passed
    assert passed.startswith(before)
    assert passed.endswith(after.lstrip(";"))


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_stays(text):
    assert secrets.apply(text) == text


def test_a_key_block_that_was_cut_off_is_replaced_as_far_as_it_goes():
    assert secrets.apply(PRIVATE_KEY[:300]) == "[PRIVATE_KEY]"
    cut = f"-----BEGIN {'PRIVATE'} KEY-----\n{KEY_BODY}\n\nThat was all."
    assert secrets.apply(cut).endswith("\n\nThat was all.")


def test_a_key_block_that_is_only_spoken_of_stays():
    text = f"It begins with -----BEGIN {'PRIVATE'} KEY----- and ends with -----END {'PRIVATE'} KEY-----."
    assert secrets.apply(text) == text


def test_only_some_kinds():
    [key], [jwt, _] = BY_KIND["OPENAI_KEY"], BY_KIND["JWT"]
    assert SecretsFilter(["JWT"]).apply(f"{key} {jwt}") == f"{key} [JWT]"


def test_every_rule_says_where_its_form_is_documented():
    assert all(rule.source for rule in RULES)


@pytest.mark.parametrize("unit", ["eyJ-", "token=", "password=a", "-----BEGIN PRIVATE KEY-----", "a://b:", "sk-ant-"])
def test_nothing_makes_it_slow(unit):
    """Inputs on which careless patterns take minutes: a test that hangs has failed."""
    text = unit * (20_000 // len(unit)) + "!"
    passing = secrets.begin()
    assert "".join(passing.feed(text[n : n + 99]) for n in range(0, len(text), 99)) + passing.finish() == secrets.apply(
        text
    )
