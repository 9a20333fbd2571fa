"""The embedding model of this machine, for what is found by meaning."""

import os

import pytest

from lambdallm.llm.clients.model_file import MINILM, pulled_path


@pytest.fixture(scope="session")
def embedding_model():
    """The folder of the pulled model. A missing one is a failure, never a skip."""
    paths = [pulled_path(source=source) for source in MINILM]
    if not all(map(os.path.isfile, paths)):
        pytest.fail("Run: lambdallm local pull --embeddings. Tests never fetch anything themselves.", pytrace=False)
    return os.path.dirname(paths[0])
