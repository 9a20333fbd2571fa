"""Both drivers, and the emulated AWS."""

import json

import pytest

import servers
from both_drivers import awaiting, blocking
from lambdallm.transport.types import HttpResponse


@pytest.fixture(params=[blocking, awaiting])
def run(request):
    return request.param


@pytest.fixture
def aws(monkeypatch, ministack):
    """The settings by which everything finds the emulated services; gives the endpoint."""
    for name, value in servers.AWS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", ministack)
    return ministack


@pytest.fixture
def answer():
    """An answer of a service: JSON, with headers."""

    def answer(status=200, headers=(), **body):
        return HttpResponse(status, tuple(headers), json.dumps(body).encode())

    return answer
