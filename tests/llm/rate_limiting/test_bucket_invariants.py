"""No window of time sees more than the burst and what was refilled in it, whatever is taken, settled and given back."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from lambdallm.llm.rate_limiting import RateLimiter

from .worlds import World

PER_MINUTE, BURST = 60.0, 40.0


class Traffic(RuleBasedStateMachine):
    """Calls that begin, end early or late, break off and wait, against one bucket of tokens."""

    permits = Bundle("permits")

    def __init__(self):
        super().__init__()
        self.world = World()
        self.limiter = RateLimiter(tokens_per_minute=PER_MINUTE, token_burst=BURST, max_wait_seconds=5.0)
        self.calls = []

    @rule(seconds=st.floats(0.0, 50.0))
    def time_passes(self, seconds):
        self.world.now += seconds

    @rule(target=permits, tokens=st.integers(0, 40))
    def begin(self, tokens):
        """`calls` are lists of when a call began and what it used, as reserved until it is known."""
        result = self.world.run(self.limiter.admit("k", tokens))
        call = [self.world.now, tokens if result.is_ok() else 0]
        self.calls.append(call)
        return result.value if result.is_ok() else None, call

    @rule(permit=consumes(permits), share=st.floats(0.0, 1.0))
    def end(self, permit, share):
        permit, call = permit
        if permit is not None:
            call[1] *= share
            self.world.run(permit.settle(call[1]))

    @rule(permit=consumes(permits))
    def cancel(self, permit):
        permit, call = permit
        if permit is not None:
            call[1] = 0
            self.world.run(permit.cancel())

    @rule(permit=consumes(permits), share=st.floats(0.0, 1.0))
    def break_off(self, permit, share):
        permit, call = permit
        if permit is not None:
            call[1] *= share
            permit.drop(call[1])

    @invariant()
    def no_window_exceeds_the_limit(self):
        for first, (begun, _) in enumerate(self.calls):
            total = 0.0
            for when, used in self.calls[first:]:
                total += used
                assert total <= BURST + (when - begun) * PER_MINUTE / 60.0 + 1e-4, self.calls

    def teardown(self):
        self.world.close()


TestTraffic = Traffic.TestCase
TestTraffic.settings = settings(max_examples=300, stateful_step_count=40)


class Busy(RuleBasedStateMachine):
    """One call after the other, each reserving ten times what it uses: what is given back can be used, all of it.

    `level` is a bucket in which each call takes only what it uses, as it begins.
    """

    def __init__(self):
        super().__init__()
        self.world, self.level = World(), PER_MINUTE
        self.limiter = RateLimiter(tokens_per_minute=PER_MINUTE)

    @rule(seconds=st.floats(0.0, 5.0))
    def call(self, seconds):
        result = self.world.run(self.limiter.admit("k", 20))
        assert result.is_ok() == (self.level >= 20) or abs(self.level - 20) < 1e-4
        self.level -= 2 * result.is_ok()
        self.world.now += seconds
        self.level = min(PER_MINUTE, self.level + seconds * PER_MINUTE / 60.0)
        if result.is_ok():
            self.world.run(result.value.settle(2))

    def teardown(self):
        self.world.close()


TestBusy = Busy.TestCase
TestBusy.settings = settings(max_examples=50, stateful_step_count=50)
