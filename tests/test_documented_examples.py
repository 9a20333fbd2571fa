"""The examples of the framework's documentation, as they are printed there."""

import json
import textwrap

import pytest


def run(source, **names):
    """Run an example as it stands, with the names it leaves to its reader."""
    space = dict(names)
    exec(textwrap.dedent(source), space)
    return space


HANDLER = """
from lambdallm import Model, handler

@handler(model=Model.CLAUDE_3_HAIKU, max_retries=3, fallback_model=Model.TITAN_TEXT_EXPRESS)
def lambda_handler(event, context):
    result = context.invoke("Hello {name}", name="World")
    return {"statusCode": 200, "body": result}
"""

MIDDLEWARE = """
from lambdallm import Middleware

class MyMiddleware(Middleware):
    def before_invoke(self, event, context):
        # Process before handler
        return event

    def after_invoke(self, event, result, context):
        # Process after handler
        return result

    def on_error(self, event, error, context):
        # Handle errors
        pass
"""

TESTING = """
from lambdallm.testing import MockProvider, mock_model, MockLambdaContext

@mock_model(responses=["Test response"])
def test_my_handler():
    result = my_handler({"body": '{"text": "test"}'}, MockLambdaContext())
    assert result["statusCode"] == 200
"""

PROVIDER = """
from lambdallm.providers.base import BaseProvider
from lambdallm.core.models import ModelConfig, ModelResponse

class OpenAIProvider(BaseProvider):
    def invoke(self, prompt: str, config: ModelConfig) -> ModelResponse:
        # Call OpenAI API
        response = openai.chat.completions.create(...)
        return ModelResponse(
            content=response.choices[0].message.content,
            model_id=config.model_id,
            tokens_in=response.usage.prompt_tokens,
            tokens_out=response.usage.completion_tokens,
            latency_ms=elapsed,
            cost_usd=calculated_cost,
        )

    def supports_streaming(self) -> bool:
        return True
"""

AUTH = """
from lambdallm.middleware.base import Middleware

class AuthMiddleware(Middleware):
    def before_invoke(self, event, context):
        token = event.get("headers", {}).get("Authorization")
        if not self.validate(token):
            raise UnauthorizedError("Invalid token")
        return event
"""

STORE = """
class RedisStateStore:
    def get(self, session_id: str) -> dict:
        return json.loads(self.redis.get(session_id))

    def put(self, session_id: str, data: dict, ttl_seconds: int):
        self.redis.setex(session_id, ttl_seconds, json.dumps(data))
"""


def test_the_handler():
    from lambdallm.testing import MockLambdaContext, mock_model

    lambda_handler = run(HANDLER)["lambda_handler"]
    with mock_model(["Hello yourself"]) as model:
        assert lambda_handler({}, MockLambdaContext()) == {"statusCode": 200, "body": "Hello yourself"}
    assert model.calls[0].prompt == "Hello World"


def test_middleware():
    from lambdallm import handler

    layer = run(MIDDLEWARE)["MyMiddleware"]()
    assert handler(middleware=[layer])(lambda event, context: {"a": 1})({}, None) == {"a": 1}


def test_testing_without_a_model():
    from lambdallm import handler

    @handler
    def my_handler(event, context):
        return {"statusCode": 200, "body": context.invoke("Read {text}", text=json.loads(event["body"])["text"])}

    run(TESTING, my_handler=my_handler)["test_my_handler"]()


def test_a_provider_of_one_s_own():
    from types import SimpleNamespace as Some

    from lambdallm import handler, register_provider

    message = Some(message=Some(content="Hi"))
    answer = Some(choices=[message], usage=Some(prompt_tokens=1, completion_tokens=2))
    openai = Some(chat=Some(completions=Some(create=lambda _: answer)))
    example = run(PROVIDER, openai=openai, elapsed=3.0, calculated_cost=0.5)
    register_provider("documented", example["OpenAIProvider"]())

    @handler(model="documented/gpt-4o")
    def function(event, context):
        return [context.invoke("Hello"), context.total_cost]

    assert function({}, None) == ["Hi", 0.5]


def test_middleware_that_refuses():
    from lambdallm import handler
    from lambdallm.core.exceptions import UnauthorizedError

    layer = run(AUTH, UnauthorizedError=UnauthorizedError)["AuthMiddleware"]()
    layer.validate = lambda token: token == "right"
    function = handler(middleware=[layer])(lambda event, context: "in")
    assert function({"headers": {"Authorization": "right"}}, None) == "in"
    with pytest.raises(UnauthorizedError, match="Invalid token"):
        function({"headers": {}}, None)


@pytest.mark.filterwarnings("ignore:Call to deprecated setex:DeprecationWarning")
def test_a_store_of_one_s_own(redis_url):
    import redis

    from lambdallm import Session

    store = run(STORE, json=json)["RedisStateStore"]()
    with redis.Redis.from_url(redis_url) as store.redis:
        for text in ("Hi", "Hello again"):
            session = Session(store=store, ttl_hours=1)
            session.load("user-7")
            session.add_message("user", text)
            session.save()
        session = Session(store=store)
        session.load("user-7")
        assert session.get_history() == [{"role": "user", "content": "Hi"}, {"role": "user", "content": "Hello again"}]
        assert session.format_history()


def test_the_documented_defaults():
    """Every parameter of the reference, with its default."""
    from inspect import signature

    from lambdallm import Chain, MemoryStrategy, Model, Prompt, Session, Step, handler

    empty = None
    documented = {
        handler: {
            "model": Model.CLAUDE_3_HAIKU, "timeout_strategy": "fail-fast", "timeout_buffer": 5, "max_retries": 3,
            "fallback_model": empty, "middleware": empty, "session": empty, "router": empty,
        },
        Prompt: {
            "input_schema": empty, "output_schema": empty, "system_prompt": empty, "model": empty, "max_tokens": 1024,
            "temperature": 0.7, "name": empty, "version": "1.0.0",
        },
        Chain: {"timeout_strategy": "fail-fast", "max_total_cost": empty},
        Step: {"prompt": empty, "func": empty, "model": empty, "output_schema": empty, "condition": empty},
        Session: {
            "store": "dynamodb", "ttl_hours": 24, "memory": MemoryStrategy.SLIDING_WINDOW, "max_messages": 20,
        },
    }  # fmt: skip
    for made, defaults in documented.items():
        parameters = signature(made).parameters
        assert {name: parameters[name].default for name in defaults} == defaults
        positional = [name for name, one in parameters.items() if one.kind is one.POSITIONAL_OR_KEYWORD]
        assert positional[-len(defaults) :] == list(defaults)


@pytest.mark.parametrize(
    "path",
    [
        "lambdallm.core.handler:handler", "lambdallm.core.context:LambdaLLMContext", "lambdallm.core.prompt:Prompt",
        "lambdallm.core.models:Model", "lambdallm.core.models:ModelConfig", "lambdallm.core.models:ModelResponse",
        "lambdallm.core.config:load_config", "lambdallm.core.exceptions:BudgetExceededError",
        "lambdallm.providers.base:BaseProvider", "lambdallm.providers.bedrock:BedrockProvider",
        "lambdallm.middleware.base:Middleware", "lambdallm.testing.mocks:MockProvider",
        "lambdallm.testing:MockLambdaContext", "lambdallm:handler", "lambdallm:Prompt", "lambdallm:Model",
        "lambdallm:BedrockProvider", "lambdallm.cli.main:main", "lambdallm.chains.chain:Chain",
        "lambdallm.chains.chain:Step", "lambdallm.chains.runner:ChainRunner", "lambdallm.state.session:Session",
        "lambdallm.state.session:MemoryStrategy",
        "lambdallm.state.dynamodb:DynamoDBStateStore", "lambdallm.state.memory:MemoryStateStore",
        "lambdallm.state.context_window:ContextWindow", "lambdallm.state.auto_session:SessionIdError",
        "lambdallm.middleware.logging:LoggingMiddleware", "lambdallm.middleware.cost:CostTrackingMiddleware",
        "lambdallm:Chain", "lambdallm:Step", "lambdallm:Session", "lambdallm:MemoryStrategy",
        "lambdallm:LoggingMiddleware", "lambdallm:CostTrackingMiddleware",
    ],
)  # fmt: skip
def test_documented_import_paths(path):
    module, name = path.split(":")
    assert getattr(__import__(module, fromlist=[name]), name)
