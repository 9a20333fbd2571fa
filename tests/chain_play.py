"""What tests of chains play with: a context whose models answer in a world, and flows that are killed at an effect."""

from lambdallm.core.answer import Answer
from lambdallm.llm.errors import DeadlineExceededError, ProviderServerError
from lambdallm.llm.flow import NOW, Perform, Sleep, Start
from lambdallm.llm.result import Err, Ok
from lambdallm.llm.types import ChatMessage, Choice, Completion, Usage

ENVIRON = {"AWS_LAMBDA_FUNCTION_NAME": "reports"}


class Invocation:
    """A context: `answer` says what a prompt's text is answered with, `seconds` how long that takes.

    An answer that is an error fails the call. `left` are the function's seconds, by `clock`; models that are `deaf` do
    not end at a deadline. `asked_for` has the prompts.
    """

    awaits = False

    def __init__(
        self, answer=None, *, seconds=1.0, cost=0.01, left=None, clock=None, event=None, request_id="r-1", deaf=False
    ):
        self._answer = answer or (lambda text: f"<{text}>")
        self._seconds, self._cost, self._left, self._clock = seconds, cost, left, clock
        self._begun = clock().monotonic if clock else 0.0
        self.deaf = deaf
        self.event, self.aws_request_id = event or {}, request_id
        self.asked_for, self.asked_with = [], []

    @property
    def remaining_time_ms(self):
        if self._left is None:
            return 2**31 - 1
        passed = self._clock().monotonic - self._begun if self._clock else 0.0
        return int((self._left - passed) * 1000)

    def asked(self, prompt, values, **options):
        messages = prompt.messages(values)
        text = " | ".join(message.text for message in messages)
        self.asked_with.append({"prompt": prompt, "values": values, **options})
        start = (yield NOW).monotonic
        yield Perform(lambda: self.asked_for.append(text))
        seconds = self._seconds(text) if callable(self._seconds) else self._seconds
        if not self.deaf and (limit := options["deadline"]) is not None and start + seconds > limit:
            yield Sleep(max(limit - start, 0.0))
            raise DeadlineExceededError("The deadline has passed.")
        if seconds:
            yield Sleep(seconds)
        said = self._answer(text)
        if isinstance(said, Exception):
            return Err(said)
        usage = Usage(len(text), len(str(said)))
        cost = self._cost(text) if callable(self._cost) else self._cost
        choice = Choice(ChatMessage("assistant", str(said)), "stop")
        return Ok(Answer(said, Completion((choice,), usage, "play", cost_usd=cost)))


def overloaded(cost=0.002):
    return ProviderServerError("Overloaded.", cost_usd=cost, usage=Usage(3, 0))


class Killed(BaseException):
    """The process is gone."""


class Effects:
    """Counts the effects of flows, and kills the process at one of them: before it is performed."""

    def __init__(self, last=None, kill=None):
        self.count, self.log, self._last = 0, [], last
        self._kill = kill or self._raise

    def _raise(self):
        raise Killed

    def of(self, flow):
        """The flow, with the flows it starts."""
        outcome = None
        try:
            effect = next(flow)
            while True:
                self.count += 1
                self.log.append(type(effect).__name__)
                if self.count == self._last:
                    self._kill()
                if isinstance(effect, Start):
                    effect = Start(self.of(effect.flow))
                outcome = yield effect
                effect = flow.send(outcome)
        except StopIteration as end:
            return end.value
