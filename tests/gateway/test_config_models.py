"""From configuration to models: who is asked under a name, after whom, with which key, in simulated time."""

import json

import pytest

from both_drivers import awaiting, blocking
from lambdallm.gateway.config import GatewayConfig, ModelSettings, TargetSettings, read_gateway
from lambdallm.gateway.models import ConfiguredModels, fits
from lambdallm.llm.auth import secrets
from lambdallm.llm.catalog.loader import Catalog
from lambdallm.llm.errors import (
    CircuitOpenError,
    ConfigurationError,
    LLMAuthenticationError,
    LLMModelNotFoundError,
    LLMRateLimitError,
    MissingKeyError,
    ProviderServerError,
    StreamError,
)
from lambdallm.llm.flow import NOW, Open, Send, Sleep, Tell
from lambdallm.llm.result import Err, Ok
from lambdallm.llm.streaming.record import StreamRecord
from lambdallm.llm.types import ChatMessage, ChatRequest
from lambdallm.testing.world import Later, World
from lambdallm.transport.types import HttpResponse

REQUEST = ChatRequest("asked", (ChatMessage("user", "Hello"),))
BUSY = HttpResponse(503, body=b'{"error": {"message": "busy"}}')


def entry(name, **more):
    return {"endpoint": f"https://{name}.test/v1", "wire": "openai_chat", "auth": [{"type": "none"}], **more}


@pytest.fixture
def models(tmp_path):
    """Makes models of plain settings, over the providers one, two and three (no key) and keyed."""
    bearer = [{"type": "bearer", "env": ["KEYED_API_KEY"]}]
    providers = {name: entry(name) for name in ("one", "two", "three")} | {"keyed": entry("keyed", auth=bearer)}
    (tmp_path / "some.json").write_text(json.dumps(providers))

    def models(environ=None, **values):
        known = Catalog({}, (str(tmp_path),))
        return ConfiguredModels(read_gateway(values), environ=environ or {}, catalog=known)

    return models


def says(text, **more):
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    return HttpResponse(200, body=json.dumps({"choices": [choice], "usage": usage, **more}).encode())


def pieces(*texts, ends=True):
    events = [{"choices": [{"index": 0, "delta": {"content": text}}]} for text in texts]
    end = [{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}] if ends else []
    data = [f"data: {json.dumps(event)}\n\n".encode() for event in (*events, *end)]
    return 200, [*data, b"data: [DONE]\n\n"] if ends else data


class Upstreams(World):
    """A world of providers that answer by name: each has a list of replies, whose last one stays."""

    def __init__(self, environ=None, **replies):
        self.replies = {name: list(held) if isinstance(held, list) else [held] for name, held in replies.items()}
        super().__init__(self._reply, environ)

    def _reply(self, effect):
        left = self.replies[effect.request.url.partition("//")[2].partition(".")[0]]
        return left.pop(0) if len(left) > 1 else left[0]

    @property
    def asked(self):
        return [e.request.url.partition("//")[2].partition(".")[0] for e in self.effects if isinstance(e, (Send, Open))]

    @property
    def bodies(self):
        return [json.loads(e.request.body) for e in self.effects if isinstance(e, (Send, Open))]


def ask(models, name, world, request=REQUEST, deadline=None):
    return world.run(models.find(name).chat(request, deadline))


def read(models, name, world):
    """The result of a stream, the texts that it emitted, and its answer."""
    flow, record = models.find(name).stream(REQUEST)
    result = world.run(flow)
    return result, [chunk.delta for chunk in world.emitted if chunk.delta], record.completion()


class TestOneTarget:
    def test_the_target_is_asked_by_its_own_name(self, models):
        world = Upstreams(one=says("Hi"))
        answer = ask(models(models={"fast": "one/small"}), "fast", world).unwrap()
        assert (answer.text, answer.provider, answer.model) == ("Hi", "one", "small")
        assert world.bodies[0]["model"] == "small"

    def test_in_pieces(self, models):
        world = Upstreams(one=pieces("H", "i"))
        result, texts, answer = read(models(models={"fast": "one/small"}), "fast", world)
        assert (result.is_ok(), texts, answer.text, answer.attempts) == (True, ["H", "i"], "Hi", 1)

    def test_its_options_stand_behind_those_of_the_request(self, models):
        found = models(models={"a": {"target": "one/x", "options": {"temperature": 0.5, "max_tokens": 9}}})
        world = Upstreams(one=says("Hi"))
        ask(found, "a", world, REQUEST.replace(temperature=1.0))
        assert (world.bodies[0]["temperature"], world.bodies[0]["max_tokens"]) == (1.0, 9)

    def test_what_only_the_clients_protocol_knows_goes_along(self, models):
        world = Upstreams(one=says("Hi"))
        ask(models(models={"a": "one/x"}), "a", world, REQUEST.replace(extra={"odd": 1}, dialect="openai_chat"))
        assert world.bodies[0]["odd"] == 1

    def test_a_failure_that_may_pass_is_tried_again(self, models):
        world = Upstreams(one=[BUSY, says("Hi")])
        assert ask(models(models={"a": "one/x"}), "a", world).unwrap().attempts == 2
        assert len(world.of(Sleep)) == 1

    def test_its_breaker_opens(self, models):
        found = models(models={"a": {"target": "one/x", "max_retries": 0, "failure_threshold": 2}})
        world = Upstreams(one=BUSY)
        errors = [ask(found, "a", world).error for _ in range(3)]
        assert isinstance(errors[2], CircuitOpenError)
        assert world.asked == ["one", "one"]

    def test_its_limit_is_kept(self, models):
        found = models(models={"a": {"target": "one/x", "requests_per_minute": 1}})
        world = Upstreams(one=says("Hi"))
        ask(found, "a", world).unwrap()
        error = ask(found, "a", world).error
        assert isinstance(error, LLMRateLimitError)
        assert (error.retry_after, error.sent, world.asked) == (60.0, False, ["one"])

    def test_the_same_question_is_answered_from_the_cache(self, models):
        found = models(models={"a": "one/x", "b": {"target": "one/x", "cache": False}}, cache={"store": "memory"})
        world = Upstreams(one=says("Hi"))
        answers = [ask(found, name, world).unwrap() for name in ("a", "a", "b")]
        assert [answer.cache for answer in answers] == [None, "hit", None]
        assert len(world.asked) == 2

    def test_a_model_may_be_called_through_litellm(self, models):
        found = models(models={"rare": {"target": "together_ai/some-model", "engine": "litellm"}}).find("rare")
        assert (found.target.name, found.target.provider.transport) == (
            "litellm/together_ai/some-model",
            "lambdallm.llm.clients.litellm:LiteLLMTransport",
        )

    @pytest.mark.parametrize("run", [blocking, awaiting])
    def test_both_drivers_perform_it(self, models, run):
        found = models(models={"a": {"group": ["echo/error-500", "echo"]}})
        assert run(found.find("a").chat(REQUEST)).unwrap().text == "Hello"


GROUP = {"a": {"group": ["one/x", "two/y"]}}


class TestSeveral:
    def test_the_next_is_asked_where_one_fails(self, models):
        world = Upstreams(one=BUSY, two=says("Hi"))
        answer = ask(models(models=GROUP), "a", world).unwrap()
        assert (answer.text, answer.routing.chosen, world.asked) == ("Hi", "two/y", ["one", "one", "two"])

    def test_in_pieces_until_the_first_has_come(self, models):
        world = Upstreams(one=BUSY, two=pieces("H", "i"))
        result, texts, answer = read(models(models=GROUP), "a", world)
        assert (result.is_ok(), texts, answer.routing.chosen) == (True, ["H", "i"], "two/y")

    def test_and_not_after_it(self, models):
        world = Upstreams(one=pieces("H", ends=False), two=pieces("i"))
        result, texts, _ = read(models(models=GROUP), "a", world)
        assert isinstance(result.error, StreamError)
        assert (texts, world.asked, result.error.partial.text) == (["H"], ["one"], "H")

    def test_calls_are_shared_out_by_weight(self, models):
        group = [{"target": "one/x", "weight": 0}, {"target": "two/y", "weight": 1}]
        found = models(models={"a": {"group": group, "strategy": "weighted"}})
        world = Upstreams(one=says("1"), two=says("2"))
        assert {ask(found, "a", world).unwrap().text for _ in range(20)} == {"2"}

    def test_the_same_user_meets_the_same_target(self, models):
        found = models(models={"a": {"group": ["one/x", "two/y"], "strategy": {"weighted": {"sticky": "user"}}}})
        world = Upstreams(one=says("1"), two=says("2"))
        by_user = {
            user: {ask(found, "a", world, REQUEST.replace(user=user)).unwrap().text for _ in range(5)}
            for user in map(str, range(20))
        }
        assert all(len(answers) == 1 for answers in by_user.values())
        assert set.union(*by_user.values()) == {"1", "2"}

    def test_the_faster_of_a_race_wins_and_the_other_is_cancelled(self, models):
        found = models(models={"a": {"group": ["one/x", "two/y"], "strategy": "race"}})
        world = Upstreams(one=Later(5, says("slow")), two=Later(1, says("fast")))
        assert ask(found, "a", world).unwrap().text == "fast"
        assert world.clock.monotonic == 1_001.0

    def test_a_race_of_streams(self, models):
        found = models(models={"a": {"group": ["one/x", "two/y"], "strategy": "race"}})
        world = Upstreams(one=Later(5, pieces("slow")), two=Later(1, pieces("fa", "st")))
        result, texts, _ = read(found, "a", world)
        assert (result.is_ok(), texts) == (True, ["fa", "st"])

    def test_a_second_one_is_asked_beside_a_silent_one(self, models):
        found = models(models={"a": {**GROUP["a"], "hedge_seconds": 2}})
        world = Upstreams(one=Later(60, says("slow")), two=says("fast"))
        assert ask(found, "a", world).unwrap().text == "fast"
        assert world.clock.monotonic == 1_002.0

    def test_an_error_may_end_it(self, models):
        found = models(models={"a": {**GROUP["a"], "on_error": {"LLMRateLimitError": "stop"}}})
        world = Upstreams(one=HttpResponse(429, body=b"{}"), two=says("Hi"))
        assert isinstance(ask(found, "a", world), Err)
        assert set(world.asked) == {"one"}

    def test_no_call_lasts_longer_than_all_of_them_may(self, models):
        found = models(models={"a": {**GROUP["a"], "total_seconds": 3}})
        world = Upstreams(one=Later(2, BUSY), two=Later(2, says("late")))
        ask(found, "a", world)
        assert all(effect.timeouts.deadline == 1_003.0 for effect in world.of(Send))

    def test_its_answers_are_cached_whoever_gave_them(self, models):
        found = models(models=GROUP, cache=True)
        world = Upstreams(one=BUSY, two=says("Hi"))
        assert [ask(found, "a", world).unwrap().cache for _ in range(2)] == [None, "hit"]

    def test_and_kept_apart_where_the_same_targets_are_asked_in_another_way(self, models):
        warm = {"group": [{"target": "one/x", "options": {"temperature": 1}}, "two/y"]}
        found = models(models={"a": GROUP["a"], "warm": warm}, cache=True)
        world = Upstreams(one=says("Hi"))
        assert [ask(found, name, world).unwrap().cache for name in ("a", "warm", "a")] == [None, None, "hit"]


class TestFallbacks:
    def test_are_asked_in_their_order_after_the_whole_group(self, models):
        found = models(models={"a": {"group": ["one/x", "two/y"], "strategy": "cost", "fallbacks": ["three/z"]}})
        world = Upstreams(one=BUSY, two=BUSY, three=says("Hi"))
        assert ask(found, "a", world).unwrap().text == "Hi"
        assert world.asked == ["one", "one", "two", "two", "three"]

    def test_are_asked_after_a_single_target(self, models):
        found = models(models={"a": {"target": "one/x", "fallbacks": ["two/y"]}})
        world = Upstreams(one=BUSY, two=pieces("H", "i"))
        assert read(found, "a", world)[1] == ["H", "i"]

    def test_may_be_models_of_the_configuration(self, models):
        found = models(models={"a": {"target": "one/x", "fallbacks": ["b"]}, "b": {"group": ["two/y", "three/z"]}})
        world = Upstreams(one=BUSY, two=BUSY, three=says("Hi"))
        answer = ask(found, "a", world).unwrap()
        assert (answer.text, answer.routing.chosen) == ("Hi", "b")

    def test_the_same_model_under_two_names(self, models):
        found = models(models={"a": {"target": "one/x", "fallbacks": ["b", "b"]}, "b": "two/y"})
        world = Upstreams(one=BUSY, two=[BUSY, BUSY, says("Hi")])
        assert ask(found, "a", world).unwrap().text == "Hi"

    def test_that_lead_back_are_refused(self, models):
        target = TargetSettings("b")
        settings = {"a": ModelSettings((target,)), "b": ModelSettings((TargetSettings("a"),))}
        with pytest.raises(ConfigurationError, match="a → b → a is a circle"):
            ConfiguredModels(GatewayConfig(settings)).find("a")


WORDS = {"output": [{"blocklist": {"words": ["plan"], "action": "redact"}}]}


class TestFilters:
    def test_those_of_all_models(self, models):
        found = models(models={"a": "one/x"}, filters=WORDS)
        assert ask(found, "a", Upstreams(one=says("The plan"))).unwrap().text == "The [BLOCKED]"

    def test_in_pieces(self, models):
        found = models(models={"a": {"group": ["one/x", "two/y"]}}, filters=WORDS)
        _, texts, answer = read(found, "a", Upstreams(one=pieces("The pl", "an ", "is")))
        assert ("".join(texts), answer.text) == ("The [BLOCKED] is",) * 2

    def test_those_of_one_model_instead(self, models):
        found = models(models={"a": {"target": "one/x", "filters": {}}}, filters=WORDS)
        assert ask(found, "a", Upstreams(one=says("The plan"))).unwrap().text == "The plan"

    def test_what_is_blocked_is_said_in_other_words(self, models):
        blocking = {"input": [{"blocklist": {"words": ["hello"]}}], "on_block": "No."}
        world = Upstreams(one=says("Hi"))
        assert ask(models(models={"a": "one/x"}, filters=blocking), "a", world).unwrap().text == "No."
        assert world.asked == []

    def test_are_applied_once_where_a_model_names_another(self, models):
        marking = {"output": [{"regex": {"pattern": "x", "replacement": "xx"}}]}
        found = models(models={"a": "b", "b": "one/m"}, filters=marking)
        assert ask(found, "a", Upstreams(one=says("x"))).unwrap().text == "xx"


class TestKeys:
    def test_those_of_the_configuration(self, models):
        world = Upstreams(keyed=says("Hi"))
        ask(models(models={"a": "keyed/m"}, api_keys={"keyed": "sk-config"}), "a", world).unwrap()
        assert ("Authorization", "Bearer sk-config") in world.of(Send)[0].request.headers

    def test_that_of_the_target_wins(self, models):
        world = Upstreams(keyed=says("Hi"))
        found = models(models={"a": {"target": "keyed/m", "api_key": "sk-own"}}, api_keys={"keyed": "sk-config"})
        ask(found, "a", world)
        assert ("Authorization", "Bearer sk-own") in world.of(Send)[0].request.headers

    def test_without_one_nothing_is_sent(self, models):
        world = Upstreams()
        with pytest.raises(MissingKeyError):
            ask(models(models={"a": "keyed/m"}), "a", world)
        assert world.asked == []

    def test_in_a_group_the_next_is_asked(self, models):
        world = Upstreams(one=says("Hi"))
        assert ask(models(models={"a": {"group": ["keyed/m", "one/x"]}}), "a", world).unwrap().text == "Hi"


class TestChangedSecrets:
    """A key that is kept elsewhere is read again where the provider refuses it, and the call made once more."""

    REFUSED = HttpResponse(401, body=b'{"error": {"message": "bad key"}}')

    @pytest.fixture
    def held(self, monkeypatch):
        """What the place holds where secrets are kept; `reads` counts how often somebody looked."""
        held = {"key": "old", "reads": 0}

        def read(reference):
            held["reads"] += 1
            return held["key"]
            yield

        cache = secrets.SecretCache(read=read)
        monkeypatch.setattr(secrets, "CACHE", cache)
        return held

    @pytest.fixture
    def found(self, models, held):
        return models(models={"a": "keyed/m"}, api_keys={"keyed": "secret:app/key"})

    @staticmethod
    def keys(world):
        return [dict(effect.request.headers)["Authorization"] for effect in world.effects if hasattr(effect, "via")]

    def test_whole(self, found, held):
        world = Upstreams(keyed=[says("Hi"), self.REFUSED, says("Again")])
        ask(found, "a", world).unwrap()
        held["key"] = "new"
        world.pass_time(60)
        assert ask(found, "a", world).unwrap().text == "Again"
        assert self.keys(world) == ["Bearer old", "Bearer old", "Bearer new"]

    def test_in_pieces(self, found, held):
        world = Upstreams(keyed=[says("Hi"), (401, [b"{}"]), pieces("Again")])
        ask(found, "a", world).unwrap()
        held["key"] = "new"
        world.pass_time(60)
        result, texts, _ = read(found, "a", world)
        assert (result.is_ok(), texts) == (True, ["Again"])

    def test_a_key_that_is_still_wrong_is_refused_and_not_read_each_time(self, found, held):
        world = Upstreams(keyed=self.REFUSED)
        errors = [ask(found, "a", world).error for _ in range(3)]
        assert all(isinstance(error, LLMAuthenticationError) for error in errors)
        assert (held["reads"], len(world.asked)) == (1, 3)


class TestNames:
    def test_an_unknown_one(self, models):
        with pytest.raises(LLMModelNotFoundError, match=r"The model 'b' does not exist\."):
            models(models={"a": "one/x"}).find("b")

    def test_none_is_the_default_one(self, models):
        assert models(models={"a": "one/x", "b": "two/y"}, default_model="b").find("").name == "b"

    def test_without_models_all_of_the_catalog_may_be_named(self, models):
        assert models().find("gpt-4o-mini").target.name == "openai/gpt-4o-mini"
        with pytest.raises(LLMModelNotFoundError, match="Did you mean 'gpt-4o'"):
            models().find("gtp-4o")

    def test_with_models_those_that_are_exposed(self, models):
        found = models(models={"a": "one/x"}, expose=["openai/gpt-4o*"])
        assert found.find("openai/gpt-4o").name == "openai/gpt-4o"
        assert found.find("gpt-4o-mini").target.name == "openai/gpt-4o-mini"
        for name in ("openai/gpt-5", "anthropic/claude-haiku-4-5"):
            with pytest.raises(LLMModelNotFoundError):
                found.find(name)

    def test_the_list_has_those_that_may_be_seen(self, models):
        found = models(models={"a": "one/x", "b": {"target": "one/y", "listed": False}})
        assert [model.name for model in found.listed()] == ["a"]

    def test_of_a_pattern_those_whose_provider_has_a_key(self, models):
        found = models({"OPENAI_API_KEY": "x"}, models={"a": "one/x"}, expose=["*/*4o*"])
        listed = [model.name for model in found.listed()]
        assert listed[0] == "a"
        assert listed[1:]
        assert all(name.startswith("openai/") and "4o" in name for name in listed[1:])

    @pytest.mark.parametrize(
        ("pattern", "name", "does"),
        [
            ("*", "anything", True), ("a/*", "a/b", True), ("a/*", "b/a/c", False), ("a", "a", True),
            ("a", "ab", False), ("a*b*c", "a1b2c", True), ("a*b*c", "acb", False), ("ab*ba", "aba", False),
            ("*x*x*", "x", False),
        ],
    )  # fmt: skip
    def test_patterns(self, pattern, name, does):
        assert fits(pattern, name) is does


class TestWhatPassesThrough:
    @pytest.mark.parametrize(
        ("settings", "direct"),
        [
            ("one/x", True),
            ({"target": "one/x", "api_key": "k", "timeout_seconds": 3}, True),
            ({"target": "one/x", "options": {"temperature": 0}}, False),
            ({"target": "one/x", "requests_per_minute": 3}, False),
            ({"target": "one/x", "fallbacks": ["two/y"]}, False),
            ({"target": "one/x", "filters": {"output": ["secrets"]}}, False),
            ({"group": ["one/x", "two/y"]}, False),
        ],
    )
    def test_is_what_nothing_has_to_read(self, models, settings, direct):
        found = models(models={"a": settings}).find("a")
        assert found.direct is direct
        assert (found.target is None) is (len(found.targets) > 1)

    def test_not_where_a_cache_may_answer(self, models):
        assert models(models={"a": "one/x"}, cache=True).find("a").direct is False

    def test_is_kept_within_the_breaker_and_the_retries(self, models):
        found = models(models={"a": {"target": "keyed/m", "api_key": "k"}}).find("a")
        seen = []

        def attempt(settings, record):
            seen.append((settings.api_key, settings.deadline))
            record.attempts += 1
            return Ok("raw") if len(seen) > 1 else Err(ProviderServerError("busy"))
            yield

        record = StreamRecord(found.target)
        flow = found.first.around(attempt, (), record, 2_000.0)
        assert World(lambda effect: BUSY).run(flow) == Ok("raw")
        assert (seen, record.attempts) == ([("k", 2_000.0)] * 2, 2)


class TestReadersWhoLeave:
    """What was reserved is settled, slots are free again, and the upstream is let go."""

    @pytest.mark.parametrize(
        "settings",
        [
            {"target": "one/x", "max_concurrency": 1, "tokens_per_minute": 2000},
            {"group": [{"target": "one/x", "max_concurrency": 1, "tokens_per_minute": 2000}, "two/y"]},
            {"target": "one/x", "max_concurrency": 1, "filters": {"output": ["secrets"]}},
        ],
    )
    def test_make_room_for_the_next(self, models, settings):
        found = models(models={"a": settings})
        for _ in range(2):
            world = Upstreams(one=pieces("H ", "i ", "there"), two=BUSY)
            flow, record = found.find("a").stream(REQUEST)
            world.run(flow, leave_after=1)
            assert world.asked == ["one"]
            assert record.completion().text == "H "

    def test_of_a_group_leave_no_reservation_open(self, models):
        settled = []

        class Permit:
            def settle(self, used):
                yield Tell(settled.append, used)

        class Limiter:
            counts_tokens = True

            def key_of(self, provider, model):
                return provider

            def admit(self, key, tokens, *, deadline):
                yield NOW
                return Ok(Permit())

        found = models(models={"a": {"group": ["one/x", "two/y"]}}).find("a")
        found.first._policies.limiter = Limiter()
        flow, _ = found.stream(REQUEST)
        Upstreams(one=pieces("H", "i")).run(flow, leave_after=1)
        assert settled == [None]
