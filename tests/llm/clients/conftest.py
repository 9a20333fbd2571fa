"""Tests of the providers that answer in this process."""

import pytest


@pytest.fixture(autouse=True)
def _one_thread(_clean_environment, monkeypatch):
    """Tests run side by side: models that each want every core would starve one another."""
    monkeypatch.setenv("LAMBDALLM_LOCAL_THREADS", "1")
