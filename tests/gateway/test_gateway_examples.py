"""The examples of `docs/how-to/gateway.md`, each as a function in a local Lambda."""

import json
from pathlib import Path
from urllib.request import urlopen

import openai

import gateway_play as play
from lambdallm.testing.local_lambda import LocalLambda

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "gateway"


def test_a_gateway_as_a_function():
    with LocalLambda(EXAMPLES, "app.lambda_handler", timeout=20) as function:
        url = function.url.rstrip("/")
        with openai.OpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client:
            answer = client.chat.completions.create(model="fast", messages=play.HELLO)
        with urlopen(f"{url}/ready") as ready:
            assert json.load(ready)["models"] == 2
    assert answer.choices[0].message.content == "Say hello"


def test_an_endpoint_of_ones_own():
    with (
        LocalLambda(EXAMPLES, "own_endpoint.lambda_handler", timeout=20) as function,
        urlopen(f"{function.url.rstrip('/')}/whoami") as answer,
    ):
        assert answer.read() == b"anyone"
