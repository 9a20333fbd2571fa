"""Stores of keys, Cognito's at both emulators: moto refuses what AWS refuses, MiniStack also runs functions."""

from pathlib import Path

import pytest

import servers
from both_drivers import awaiting, blocking
from lambdallm.gateway.keys import CognitoKeyStore, key_store
from lambdallm.gateway.keys.cognito import COGNITO, UserPool
from lambdallm.llm.services import JsonService

MOTO = Path(__file__).parents[3] / ".venv-moto" / "bin" / "moto_server"


@pytest.fixture(params=[blocking, awaiting])
def run(request):
    return request.param


@pytest.fixture(scope="session")
def moto(tmp_path_factory):
    """The endpoint of moto, of this test worker's own."""
    if not MOTO.exists():
        pytest.fail("moto is not installed: run make test, which sets it up.", pytrace=False)
    port, folder = servers.free_port(), tmp_path_factory.mktemp("moto")
    with servers.running([str(MOTO), "-H", "127.0.0.1", "-p", str(port)], port, folder, {"HOME": str(folder)}):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(params=["moto", "ministack"])
def aws(request, monkeypatch):
    """The endpoint of an emulator, and an environment with credentials for it."""
    for name, value in servers.AWS.items():
        monkeypatch.setenv(name, value)
    return request.getfixturevalue(request.param)


class Pool(UserPool):
    """A pool that keeps in `asked` which operations it was asked for."""

    def __init__(self, pool_id, **settings):
        super().__init__(pool_id, **settings)
        self.asked = []

    def _call(self, operation, body):
        self.asked.append(operation)
        return (yield from super()._call(operation, body))


@pytest.fixture
def new_pool(aws):
    """Makes user pools."""

    def make(**settings):
        service = JsonService(COGNITO, endpoint=aws)
        made = blocking(service.call("CreateUserPool", {"PoolName": "gateway", **settings}))
        return Pool(made["UserPool"]["Id"], endpoint=aws, timeout_seconds=20.0)

    return make


@pytest.fixture
def pool(new_pool):
    return new_pool()


@pytest.fixture
def cognito_store(pool):
    store = CognitoKeyStore(pool)
    blocking(store.ensure())
    return store


@pytest.fixture
def sqlite_store(tmp_path):
    store = key_store(f"sqlite:{tmp_path / 'folder' / 'keys.db'}")
    yield store
    store.state.close()


@pytest.fixture
def memory_store():
    return key_store("memory")
