"""Tokens in hand: how long they serve, when newer ones are asked for, what happens when that fails."""

import pytest

from lambdallm.llm.auth.tokens import Token, TokenCache, cached
from lambdallm.llm.errors import ProviderServerError
from lambdallm.llm.flow import Clock
from lambdallm.testing.script import Script

KEY = ("kind", "identity")
START = 1_700_000_000.0


class Issuer:
    """Issues tokens that live an hour, or fails."""

    def __init__(self, life=3600.0):
        self.issued, self.life, self.fails = 0, life, False

    def __call__(self, now):
        yield from ()
        if self.fails:
            raise ProviderServerError("down")
        self.issued += 1
        return Token(f"token-{self.issued}", now + self.life)


@pytest.fixture
def served():
    """The token at a time, `issuer` being asked where none is in hand."""
    cache = TokenCache()

    def at(issuer, seconds):
        script = Script()
        script.clock = Clock(0.0, START + seconds)
        return script.run(cached(KEY, issuer, cache)).value

    return at


def test_a_token_serves_until_five_minutes_before_its_end(served):
    issuer = Issuer()
    assert [served(issuer, at) for at in (0, 3299, 3301)] == ["token-1", "token-1", "token-2"]


def test_a_short_lived_token_serves_for_half_of_its_time(served):
    issuer = Issuer(life=100)
    assert [served(issuer, at) for at in (0, 49, 51)] == ["token-1", "token-1", "token-2"]


def test_the_token_in_hand_serves_while_its_issuer_is_down(served):
    issuer = Issuer()
    served(issuer, 0)
    issuer.fails = True
    assert served(issuer, 3400) == "token-1"
    issuer.fails = False
    assert served(issuer, 3410) == "token-1", "the issuer is asked again after a minute, not at every call"
    assert served(issuer, 3461) == "token-2"


def test_a_token_that_has_ended_is_not_used(served):
    issuer = Issuer()
    served(issuer, 0)
    issuer.fails = True
    with pytest.raises(ProviderServerError):
        served(issuer, 3600)


def test_while_one_call_asks_others_use_the_token_in_hand():
    cache = TokenCache()
    cache.hold(KEY, Token("old", START + 200), START)
    asking = cached(KEY, Issuer(), cache)
    next(asking)
    waiting = iter(cached(KEY, lambda now: iter([None]), cache))

    first = cache.postponed(KEY, START + 150)
    assert first is not None
    next(waiting)
    with pytest.raises(StopIteration) as stop:
        waiting.send(Clock(0.0, START + 150))
    assert stop.value.value.value == "old"


def test_identities_are_kept_apart():
    cache = TokenCache()
    cache.hold(("a",), Token("of a", START + 3600), START)
    assert cache.serving(("b",), START) is None


def test_a_token_is_not_shown():
    assert "secret" not in repr(Token("secret", 1.0))
