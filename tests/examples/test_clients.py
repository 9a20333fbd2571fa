"""`examples/clients`: each file runs without a key, and says what it is there to show."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lambdallm.llm.caching.sync import DynamoDBLLMCache
from servers import AWS

CLIENTS = Path(__file__).parents[2] / "examples" / "clients"


def run(name, *arguments, **environ):
    """What an example prints; on its error stream it prints nothing."""
    told = subprocess.run(
        [sys.executable, str(CLIENTS / f"{name}.py"), *arguments],
        env=os.environ | environ,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (told.returncode, told.stderr) == (0, "")
    return told.stdout


@pytest.fixture
def dynamodb(ministack, monkeypatch):
    """What the environment says of a DynamoDB that has the examples' table. The emulator's first answer takes long."""
    place = AWS | {"AWS_ENDPOINT_URL": ministack}
    for name, value in place.items():
        monkeypatch.setenv(name, value)
    DynamoDBLLMCache("examples", timeout_seconds=60.0).ensure_table()
    return place


def test_every_example_is_here():
    tested = set(re.findall(r'\brun\("(\w+)"', Path(__file__).read_text()))
    assert {path.stem for path in CLIENTS.glob("*.py")} == tested


def test_the_same_calls_need_no_key_with_echo():
    out = run("anywhere")
    assert "'Name a river.' from echo/echo" in out
    assert 'the model calls weather({"city": ""})' in out
    assert "'Count to three.' in 3 pieces" in out


@pytest.mark.model
def test_and_answer_from_the_embedded_model(local_model):
    out = run("anywhere", "local")
    assert "from local/" in out
    assert out.count(" pieces") == 2


class TestStructured:
    def test_has_its_shape_whatever_the_model(self):
        out = run("structured", "echo")
        assert "'', born 0" in out
        assert "Mood.HAPPY, asked by 'native', 1 attempt" in out
        assert "  {'name': '', 'members': []}" in out

    @pytest.mark.model
    def test_and_sense_with_the_embedded_model(self, local_model):
        out = run("structured")
        assert "'Ada Lovelace', born 1815" in out
        assert "Mood.ANGRY" in out
        assert "  {'name': 'The Beatles', 'members': ['John', 'Paul']}" in out
        assert "'The Beatles' has 4 members" in out

    def test_an_error_says_what_to_do_and_what_it_took(self):
        out = run("structured", "echo")
        assert "ExtractionParseError: The answer was cut off" in out
        assert "Raise max_tokens, or ask for less." in out
        assert re.search(r"after \d+ tokens, it said '\{\"name\"", out)


class TestRouting:
    def test_goes_on_to_the_next_and_says_why(self):
        out = run("routing")
        assert "cascade: 'Name a river.' after 2 attempts" in out
        assert re.search(r"main +failed +Its priority is 0. ProviderServerError", out)
        assert "stream: ['Name', ' a', ' river.'] from 'reserve'" in out

    def test_takes_the_cheapest_that_can(self):
        out = run("routing")
        assert "cost: 'small' for a question, 'middle' for one with tools" in out
        assert re.search(r"small +skipped +It can't call tools.", out)

    def test_tells_who_failed_where_nobody_answers(self):
        out = run("routing")
        assert "nobody: LLMRateLimitError, 2 attempts" in out
        assert "strategy 'sequential' chose None" in out

    def test_by_a_strategy_of_ones_own(self):
        assert "own: 'v2'" in run("routing")


class TestCaching:
    def check(self, out):
        assert "'Name a river.': cache None, 1 calls\n'Name a river.': cache 'hit', 0 calls" in out
        assert "other settings None, cache=False None, cache='refresh' None" in out
        assert out.count("['Name', ' three', ' rivers.']") == 2

    def test_in_memory(self):
        out = run("caching")
        self.check(out)
        assert "'how do I reset my password please': cache 'semantic', similarity 0.93" in out
        assert "'How do I pay': cache None" in out
        assert "5 asked at the same time, 1 call" in out

    def test_in_redis_for_every_process(self, redis_url):
        self.check(run("caching", redis_url))
        assert "'Name a river.': cache 'hit', 0 calls\n'Name a river.': cache 'hit'" in run("caching", redis_url)

    def test_in_dynamodb_for_every_process(self, dynamodb):
        self.check(run("caching", "examples", **dynamodb))
        again = run("caching", "examples", **dynamodb)
        assert "'Name a river.': cache 'hit', 0 calls\n'Name a river.': cache 'hit'" in again


class TestLimits:
    def test_are_kept_before_any_call(self):
        out = run("limits")
        assert "The limit of 2 requests a minute for 'echo' is reached" in out
        assert re.search(r"sent False, 0 calls, room in (29|30) s", out)
        assert "a small question: True" in out
        assert re.search(r"a large one: The call needs \d+ tokens, and the limit for 'echo' is 600 at once", out)
        assert re.search(r"6 answers, at most [12] at a time", out)

    def check_shared(self, first, second):
        assert first.count("acme: may call") == 3
        assert "acme: The limit of 3 requests a day" in first
        assert "umbrella: may call" in first
        assert "acme: may call" not in second

    def test_are_shared_through_redis(self, redis_url):
        self.check_shared(run("limits", redis_url), run("limits", redis_url))

    def test_are_shared_through_dynamodb(self, dynamodb):
        self.check_shared(run("limits", "examples", **dynamodb), run("limits", "examples", **dynamodb))


class TestStreaming:
    def test_is_measured_adapted_and_told_on(self):
        out = run("streaming", "echo")
        assert re.search(r"\d+ chunks, 6 tokens, finished by 'stop'", out)
        assert re.search(r"first chunk after \d+ ms, \d+ a second", out)
        assert "['The ', 'Glomma.']\n  9 tokens, 3.15e-06 dollars" in out
        assert "  data: [DONE]" in out

    def test_merges_and_one_that_fails_harms_no_other(self):
        out = run("streaming", "echo")
        assert "broken: ProviderServerError" in out
        assert "short: 'Name a lake.'" in out
        assert "long: 'Name three rivers.'" in out
        assert re.search(r"'[ab]' was first: 'Hello'", out)

    @pytest.mark.model
    def test_with_the_embedded_model(self, local_model):
        out = run("streaming")
        assert re.search(r"finished by '(length|stop)'", out)
        assert out.count("was first") == 1


def test_safety():
    out = run("safety")
    assert "Write to [EMAIL] and call [PHONE].\n  {'input': {'personal_data': {'EMAIL': 1, 'PHONE': 1}}}" in out
    assert "'[GITHUB_TOKEN] ', 'is ', 'for ', '[TICKET] ', 'alone.']" in out
    assert "the model was asked '[NAME_1] is at [EMAIL_1].'" in out
    assert "the answer is 'Ada Lovelace is at ada@example.com.'" in out
    assert "blocked: A text holds GITHUB_TOKEN, which 'secrets' blocks." in out
    assert "finished by 'content_filter'" in out
    assert "'Please answer Now'" in out


def test_money():
    out = run("money")
    assert re.search(r"openai/gpt-4o-mini +0\.000\d+ +catalog 20\d\d-\d\d-\d\d", out)
    assert re.search(r"acme/large +unknown\n", out)
    assert "0.0034 with 9,000 of 10,000 cached" in out
    assert "14 tokens in, 14 out, 0.0 dollars" in out
    assert "0.1 in, 0.4 out, from our contract" in out


def test_container():
    out = run("container")
    assert "without a container: 'Hello', cache 'hit'" in out
    assert "with an event loop: 'main', True" in out
    assert "in another container: 'Hello'" in out


def test_logging_calls():
    out = run("logging_calls")
    assert "model 'echo', input_tokens 3, output_tokens 3, cost_usd 0.0" in out
    assert "model 'error-503', type 'ProviderServerError', status_code 503" in out
    assert "'Write to [EMAIL]'" in out
    assert "0.0 dollars, 0 failed" in out


def test_patience():
    out = run("patience")
    assert "retried: 'Here I am.' after 3 attempts" in out
    assert "deadline: ProviderServerError after 1 attempt, in time: True" in out
    assert "breaker: moody/moody-1 failed 2 times in a row" in out
    assert "open, 2 calls made, sent False" in out
    assert "hedged: 'Here I am.' after 2 attempts" in out
