"""What every test gets: no keys and no settings from the machine it runs on, and a corpus that may not go missing."""

import os
from pathlib import Path

import hypothesis
import pytest

import servers
from lambdallm.llm.clients.model_file import LocalModel, locate
from lambdallm.llm.errors import ConfigurationError

hypothesis.settings.register_profile("lambdallm", deadline=None)  # a busy machine is no failure
hypothesis.settings.load_profile("lambdallm")


def pytest_sessionstart(session):
    named = os.environ.get("LAMBDALLM_CORPUS")
    if named and not Path(named).is_dir():
        pytest.exit(f"LAMBDALLM_CORPUS names {named!r}, which is no folder.", returncode=2)


replayed = []


def pytest_runtest_logreport(report):
    if report.when == "call" and report.passed and "corpus" in report.keywords:
        replayed.append(report.nodeid)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    """Where recorded traffic is required, a run that replayed none has failed, whatever else it did."""
    on_a_worker = hasattr(session.config, "workerinput")
    if os.environ.get("LAMBDALLM_REQUIRE_CORPUS") and not on_a_worker and not replayed:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        print("\nLAMBDALLM_REQUIRE_CORPUS is set, and no test of recorded traffic passed.")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch):
    """A key on the developer's machine must not change what a test sees."""
    keep = {"LAMBDALLM_CORPUS", "LAMBDALLM_REQUIRE_CORPUS", "LAMBDALLM_CACHE", "LAMBDALLM_LOCAL_MODEL"}
    for name in list(os.environ):
        secret = name.endswith(("_API_KEY", "_BASE_URL")) or name.lower().endswith("_proxy")
        ours = name.startswith(("LAMBDALLM_", "AWS_")) and name not in keep
        if secret or ours:
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def local_model() -> LocalModel:
    """The model in the cache, or the one LAMBDALLM_LOCAL_MODEL names. A missing one is a failure, never a skip."""
    try:
        return locate()
    except ConfigurationError as error:
        pytest.fail(f"{error} Tests never fetch anything themselves.", pytrace=False)


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory):
    """A Redis server of this test worker's own."""
    with servers.redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(scope="session")
def ministack(tmp_path_factory):
    """The endpoint of emulated AWS services, of this test worker's own."""
    with servers.ministack_server(tmp_path_factory.mktemp("ministack")) as url:
        yield url
