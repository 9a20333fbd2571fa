"""Secrets by reference: read once, kept, read again, kept through an outage; and shown nowhere."""

import json
import logging
import os
import signal
import threading

import pytest

import servers
from both_drivers import awaiting, blocking
from lambdallm.llm.auth import authorized, keys, secrets
from lambdallm.llm.auth.secrets import SecretCache, SecretReference, reference_of
from lambdallm.llm.call import CallSettings
from lambdallm.llm.catalog.definition import AuthScheme, ProviderDefinition, provider_definition
from lambdallm.llm.catalog.loader import Catalog
from lambdallm.llm.catalog.resolve import resolve
from lambdallm.llm.errors import ConfigurationError, DeadlineExceededError, MissingKeyError, ProviderConnectionError
from lambdallm.llm.flow import Send, Sleep
from lambdallm.llm.pipeline import chat
from lambdallm.llm.services import JsonService, ServiceError
from lambdallm.llm.services.parameters import SSM
from lambdallm.llm.services.secrets import SECRETS
from lambdallm.llm.types import ChatMessage, ChatRequest
from lambdallm.testing import Script
from lambdallm.testing.world import World
from lambdallm.transport.types import HttpRequest, HttpResponse

ARN = "arn:aws:secretsmanager:eu-north-1:1:secret:llm-a1b2c3"


@pytest.fixture(autouse=True)
def _nothing_in_hand(monkeypatch):
    monkeypatch.setattr(secrets, "CACHE", SecretCache())
    monkeypatch.setattr(keys, "_project", [{}])


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("secret:prod/llm", SecretReference("secretsmanager", "prod/llm")),
        ("secret:prod/llm#openai", SecretReference("secretsmanager", "prod/llm", "openai")),
        ("secret:/llm/{env}/openai", SecretReference("secretsmanager", "/llm/prod/openai")),
        ("secret:ssm:/app/{env}/key", SecretReference("ssm", "/app/prod/key")),
        ("secret:ssm:/app/all#key", SecretReference("ssm", "/app/all", "key")),
        (f"secret:{ARN}#k", SecretReference("secretsmanager", ARN, "k", "eu-north-1")),
        (
            "secret:arn:aws:ssm:eu-north-1:1:parameter/a",
            SecretReference("ssm", "arn:aws:ssm:eu-north-1:1:parameter/a", None, "eu-north-1"),
        ),
    ],
)
def test_what_a_reference_names(text, reference):
    assert reference_of(text, {"LAMBDALLM_ENV": "prod"}) == reference


@pytest.mark.parametrize(
    "text", ["secret:", "secret:ssm:", "secret:#k", "secret:a#", "secret:arn:aws:s3:::b", "secret:arn:aws"]
)
def test_what_names_nothing_says_how_to_write_it(text):
    with pytest.raises(ConfigurationError, match="secret:ssm:/path"):
        reference_of(text, {})


def test_the_environment_has_to_have_a_name_where_it_is_part_of_one():
    with pytest.raises(ConfigurationError, match="Set LAMBDALLM_ENV"):
        reference_of("secret:/llm/{env}/openai", {})


class Vault:
    """Reads that answer in turn, each after a second; an error is raised."""

    def __init__(self, *answers):
        self.answers, self.reads = list(answers), 0

    def read(self, reference):
        self.reads += 1
        answer = self.answers.pop(0)
        yield Sleep(1.0)
        if isinstance(answer, Exception):
            raise answer
        return answer


DOWN = ServiceError("Secrets Manager did not answer.", retryable=True)
GONE = ServiceError("Secrets Manager refused.", retryable=False)


def world():
    return World(lambda _: HttpResponse(500), servers.AWS)


def test_a_secret_is_read_once_until_its_time_is_over():
    vault, here = Vault("first", "second"), world()
    cache = SecretCache(ttl_seconds=300.0, read=vault.read)
    assert [here.run(cache.value("secret:a")) for _ in range(3)] == ["first"] * 3
    here.pass_time(301.0)
    assert [here.run(cache.value("secret:a")) for _ in range(3)] == ["second"] * 3
    assert vault.reads == 2


def test_who_asks_while_it_is_read_waits_for_that():
    vault = Vault("word")
    cache = SecretCache(read=vault.read)
    assert world().run_all([(0.1 * n, cache.value("secret:a")) for n in range(5)]) == ["word"] * 5
    assert vault.reads == 1


def test_who_asks_while_it_is_read_again_goes_on_with_what_there_is():
    vault, here = Vault("old", "new"), world()
    cache = SecretCache(ttl_seconds=10.0, read=vault.read)
    here.run(cache.value("secret:a"))
    here.pass_time(11.0)
    assert here.run_all([(0.1 * n, cache.value("secret:a")) for n in range(3)]) == ["new", "old", "old"]


def test_all_who_wait_are_told_of_a_failure_and_the_next_one_tries_again():
    vault, here = Vault(DOWN, "word"), world()
    cache = SecretCache(read=vault.read)
    tasks = [here.begin(cache.value("secret:a")) for _ in range(2)]
    here.pass_time(2.0)
    assert [task.failure for task in tasks] == [DOWN, DOWN]
    assert here.run(cache.value("secret:a")) == "word"


def test_where_the_reader_leaves_another_takes_its_place():
    vault, here = Vault("lost", "word"), world()
    cache = SecretCache(read=vault.read)
    first, second = here.begin(cache.value("secret:a")), here.begin(cache.value("secret:a"), 0.1)
    here.after(0.5, first.own.stop)
    here.pass_time(3.0)
    assert (first.cancelled, second.value, vault.reads) == (True, "word", 2)


def test_what_was_read_stays_in_use_while_the_service_is_down_and_the_log_says_so(caplog):
    vault, here = Vault("word", DOWN, "new"), world()
    cache = SecretCache(ttl_seconds=10.0, read=vault.read)
    here.run(cache.value("secret:a"))
    here.pass_time(11.0)
    with caplog.at_level(logging.WARNING, "lambdallm.secrets"):
        assert [here.run(cache.value("secret:a")) for _ in range(3)] == ["word"] * 3
    assert [record.getMessage() for record in caplog.records] == [
        f"The secret 'a' can't be read again, and stays as it was: {DOWN}"
    ]
    here.pass_time(31.0)
    assert here.run(cache.value("secret:a")) == "new"


def test_a_secret_that_is_gone_is_not_kept():
    vault, here = Vault("word", GONE), world()
    cache = SecretCache(ttl_seconds=10.0, read=vault.read)
    here.run(cache.value("secret:a"))
    here.pass_time(11.0)
    with pytest.raises(ServiceError, match="refused"):
        here.run(cache.value("secret:a"))
    vault.answers.append("new")
    assert here.run(cache.value("secret:a")) == "new", "nobody is given what was taken back"


def test_it_can_be_wanted_newer_than_the_cache_keeps_it():
    vault, here = Vault("first", "second"), world()
    cache = SecretCache(ttl_seconds=300.0, read=vault.read)
    here.run(cache.value("secret:a"))
    here.pass_time(20.0)
    assert [here.run(cache.value("secret:a", seconds)) for seconds in (30.0, 10.0, None)] == [
        "first",
        "second",
        "second",
    ]


def test_nothing_of_it_is_shown():
    cache = SecretCache(read=Vault("word").read)
    world().run(cache.value("secret:a"))
    assert repr(cache) == "SecretCache(1 in hand)"


def test_threads_share_one_reading():
    count, gate = [], threading.Event()

    def read(reference):
        count.append(1)
        gate.wait(10)
        yield Sleep(0.0)
        return "word"

    cache, found = SecretCache(read=read), []
    threads = [threading.Thread(target=lambda: found.append(blocking(cache.value("secret:a")))) for _ in range(4)]
    for thread in threads:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join(10)
    assert (found, len(count)) == (["word"] * 4, 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_in_the_middle_of_a_reading_reads_for_itself():
    cache = SecretCache(read=Vault("word").read)
    flow = cache.value("secret:a")
    for outcome in (None, servers.AWS, world().clock):  # up to where it reads
        flow.send(outcome)
    read, write = os.pipe()
    if os.fork() == 0:
        signal.alarm(20)
        cache._read = Vault("child").read
        os.write(write, blocking(cache.value("secret:a")).encode())
        os._exit(0)
    os.wait()
    assert os.read(read, 10) == b"child"
    os.close(read)
    os.close(write)
    flow.close()


REQUEST = HttpRequest("POST", "https://api.example/v1/chat")
ACME = ProviderDefinition("acme", "https://api.example", "openai_chat", auth=(AuthScheme("bearer", env=("ACME_KEY",)),))


def held(**body):
    return HttpResponse(200, body=json.dumps(body).encode())


def proof(provider=ACME, key=None, replies=(), **environ):
    script = Script(replies, servers.AWS | environ)
    return dict(script.run(authorized(REQUEST, provider, key, servers.AWS | environ)).headers)["Authorization"]


class TestKeysOfProviders:
    def test_a_key_that_is_given_may_be_a_reference(self):
        assert proof(key="secret:a", replies=[held(SecretString=" word\n")]) == "Bearer word"

    def test_so_may_one_in_a_variable(self):
        reply = held(Parameter={"Value": "word"})
        assert proof(ACME_KEY="secret:ssm:/a", replies=[reply]) == "Bearer word"

    def test_the_projects_key_is_taken_where_no_variable_has_one(self):
        keys.use_keys({"acme": "secret:a#acme"})
        assert proof(replies=[held(SecretString='{"acme": "inner"}')]) == "Bearer inner"
        assert proof(ACME_KEY="own") == "Bearer own"
        assert proof(key="given") == "Bearer given"

    def test_another_providers_key_is_not(self):
        keys.use_keys({"other": "k"})
        with pytest.raises(MissingKeyError):
            proof()

    def test_a_definitions_secret_path_comes_last(self):
        entry = {
            "endpoint": "https://api.acme.example/v1/chat/completions",
            "secret_path": "/ai-agent/llm-secrets/{env}/acme",
            "request_transformer": "openai_request",
            "response_transformer": "openai_response",
            "auth_type": "bearer",
        }
        environ = servers.AWS | {"LAMBDALLM_ENV": "dev"}
        script = Script([held(SecretString="word")], environ)
        sent = script.run(authorized(REQUEST, provider_definition("acme", entry), None, environ))
        assert dict(sent.headers)["Authorization"] == "Bearer word"
        asked = json.loads(script.of(Send)[0].request.body)
        assert asked["SecretId"] == "/ai-agent/llm-secrets/dev/acme"

    def test_a_key_that_cannot_be_read_says_whose_and_what_to_do(self):
        denied = HttpResponse(400, body=b'{"__type": "AccessDeniedException", "Message": "No"}')
        with pytest.raises(
            MissingKeyError, match=r"The key of acme can't be read.*secretsmanager:GetSecretValue on 'a'"
        ):
            proof(key="secret:a", replies=[denied])

    def test_a_service_that_is_down_is_no_fault_of_the_caller(self):
        with pytest.raises(ProviderConnectionError, match="The key of acme can't be read"):
            proof(key="secret:a", replies=[HttpResponse(503)] * 50)

    def test_a_reference_that_is_wrong_names_the_variables_too(self):
        with pytest.raises(MissingKeyError, match=r"Set LAMBDALLM_ENV.*Or set ACME_KEY"):
            proof(key="secret:{env}")


def test_a_key_is_not_read_beyond_the_deadline_of_its_call():
    script = Script([HttpResponse(503)] * 50, servers.AWS | {"OPENAI_API_KEY": "secret:a"})
    request = ChatRequest("gpt-4o", (ChatMessage("user", "Hi"),))
    target = resolve("openai/gpt-4o", Catalog(environ={}, folders=()))
    with pytest.raises(DeadlineExceededError, match="No time is left"):
        script.run(chat(request, target, CallSettings(deadline=1000.3)))
    assert script.clock.monotonic < 1000.3
    assert {effect.timeouts.deadline for effect in script.of(Send)} == {1000.3}


@pytest.mark.parametrize("run", [blocking, awaiting])
def test_references_are_read_from_the_services(run, ministack, monkeypatch):
    for name, value in {**servers.AWS, "AWS_ENDPOINT_URL": ministack, "LAMBDALLM_ENV": "test"}.items():
        monkeypatch.setenv(name, value)
    put = {"Name": "/app/test/key", "Value": "parameter", "Type": "SecureString", "Overwrite": True}
    run(JsonService(SSM).call("PutParameter", put))
    try:
        run(JsonService(SECRETS).call("CreateSecret", {"Name": "app/llm", "SecretString": '{"key": "inner"}'}))
    except ServiceError as error:
        assert error.code == "ResourceExistsException"  # noqa: PT017
    assert run(secrets.secret_value("secret:ssm:/app/{env}/key")) == "parameter"
    assert run(secrets.secret_value("secret:app/llm#key")) == "inner"
