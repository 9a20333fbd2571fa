"""The door of the package, and what opening it costs a cold start."""

import subprocess
import sys

import pytest

import lambdallm.middleware

NEVER = {
    "asyncio", "http", "http.client", "email", "urllib.parse", "urllib.request", "ssl", "socket", "logging", "base64",
    "dataclasses", "inspect", "typing", "threading", "datetime", "uuid", "random", "boto3", "redis", "hashlib", "hmac",
}  # fmt: skip


def imported(code):
    """The modules that a fresh process has after some code beyond those it starts with."""
    source = lambdallm.__path__[0].rpartition("/")[0]
    script = f"import sys; sys.path.insert(0, {source!r}); before = set(sys.modules)\n{code}\n"
    script += "print(*(set(sys.modules) - before))"
    told = subprocess.run([sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=True)
    return set(told.stdout.splitlines()[-1].split())


def test_every_name_resolves():
    assert all(getattr(lambdallm.middleware, name) is not None for name in lambdallm.middleware.__all__)
    assert set(lambdallm.middleware.__all__) <= set(dir(lambdallm.middleware))
    with pytest.raises(AttributeError, match="nope"):
        lambdallm.middleware.nope  # noqa: B018


def test_the_door_opens_nothing():
    found = {name for name in imported("import lambdallm.middleware") if "." in name and name.startswith("lambdallm")}
    assert found == {"lambdallm._door", "lambdallm.middleware"}


@pytest.mark.parametrize(
    "made",
    [
        "LoggingMiddleware()",
        "CostTrackingMiddleware(0.1, daily_budget=5.0)",
        "AuthMiddleware(ApiKeys({'ci': 'sha256:' + 'a' * 64}), Jwt(secret='k' * 32))",
        "AuthMiddleware(Jwt(jwks_url='https://issuer.example/jwks'))",
        "IdempotencyMiddleware()",
        "ValidationMiddleware({'a': int})",
        "CorsMiddleware('https://app.example.com')",
        "RateLimitMiddleware(60)",
    ],
)
def test_making_middleware_imports_nothing_that_costs_milliseconds(made):
    assert imported(f"from lambdallm.middleware import *\n{made}") & NEVER == set()
