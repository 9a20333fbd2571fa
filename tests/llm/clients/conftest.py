"""The embedded model, for tests marked `model`. They run it and fetch nothing."""

import pytest

from lambdallm.llm.clients.model_file import LocalModel, locate
from lambdallm.llm.errors import ConfigurationError


@pytest.fixture(scope="session")
def local_model() -> LocalModel:
    """The model in the cache, or the one LAMBDALLM_LOCAL_MODEL names. A missing one is a failure, never a skip."""
    try:
        return locate()
    except ConfigurationError as error:
        pytest.fail(f"{error} Tests never fetch anything themselves.", pytrace=False)


@pytest.fixture(autouse=True)
def _one_thread(_clean_environment, monkeypatch):
    """Tests run side by side: models that each want every core would starve one another."""
    monkeypatch.setenv("LAMBDALLM_LOCAL_THREADS", "1")
