"""Profiles through botocore, and life without botocore; and the region, which takes the same two ways."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lambdallm.aws.credentials import CredentialCache, Credentials, credentials_flow
from lambdallm.aws.errors import AwsError, CredentialsNotFound, CredentialsRefused, RegionNotFound
from lambdallm.aws.region import region, require_region

Run = Callable[..., Credentials]


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Botocore reads only files in this folder, no instance metadata, and no variable of whoever runs the tests."""
    import os

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("BOTO_CONFIG", str(tmp_path / "boto"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    (tmp_path / "credentials").write_text(
        "[default]\naws_access_key_id = AKIDDEFAULT\naws_secret_access_key = fake-default\n"
        "[work]\naws_access_key_id = AKIDWORK\naws_secret_access_key = fake-work\naws_session_token = fake-token\n"
    )
    (tmp_path / "config").write_text("[default]\nregion = eu-west-3\n[profile work]\nregion = sa-east-1\n")
    return tmp_path


@pytest.fixture
def without_botocore(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore", None)
    monkeypatch.setitem(sys.modules, "botocore.session", None)


def test_a_profile_is_found_when_nothing_else_is(run: Run, cache: CredentialCache) -> None:
    assert run(credentials_flow(cache, {}, 0.0)) == Credentials("AKIDDEFAULT", "fake-default")


def test_aws_profile_chooses_the_profile(run: Run, cache: CredentialCache) -> None:
    work = Credentials("AKIDWORK", "fake-work", "fake-token")
    assert run(credentials_flow(cache, {"AWS_PROFILE": "work"}, 0.0)) == work


def test_the_chain_is_searched_once_and_read_at_each_call(run: Run, cache: CredentialCache, files: Path) -> None:
    first = run(credentials_flow(cache, {}, 0.0))
    (files / "credentials").unlink()
    assert run(credentials_flow(cache, {}, 0.0)) == first
    cache.forget()
    with pytest.raises(CredentialsNotFound):
        run(credentials_flow(cache, {}, 0.0))


def test_keys_in_the_environment_keep_botocore_out(run: Run, cache: CredentialCache, without_botocore: None) -> None:
    environ = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "fake-secret", "AWS_PROFILE": "work"}
    assert run(credentials_flow(cache, environ, 0.0)).access_key == "AKIDEXAMPLE"


def test_a_missing_profile_is_an_error_that_names_it(run: Run, cache: CredentialCache) -> None:
    with pytest.raises(CredentialsRefused, match=r"profile \(nobody\) could not be found \(ProfileNotFound\)"):
        run(credentials_flow(cache, {"AWS_PROFILE": "nobody"}, 0.0))


def test_an_sso_profile_without_a_login_is_an_error_that_says_what_to_run(
    run: Run, cache: CredentialCache, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(files))
    (files / "config").write_text(
        "[profile sso]\nsso_start_url = https://example.awsapps.com/start\nsso_region = us-east-1\n"
        "sso_account_id = 123456789012\nsso_role_name = Reader\nregion = us-east-1\n"
    )
    with pytest.raises(CredentialsRefused, match=r"SSO.*aws sso login"):
        run(credentials_flow(cache, {"AWS_PROFILE": "sso"}, 0.0))


def test_what_a_credential_process_prints_is_not_shown(run: Run, cache: CredentialCache, files: Path) -> None:
    script = files / "process.py"
    script.write_text("import sys; sys.stderr.write('leaked-fake-secret'); sys.exit(1)")
    (files / "config").write_text(f"[profile tool]\ncredential_process = {sys.executable} {script}\n")
    with pytest.raises(CredentialsRefused, match="credential_process failed") as refused:
        run(credentials_flow(cache, {"AWS_PROFILE": "tool"}, 0.0))
    assert "leaked" not in str(refused.value)


def test_nothing_anywhere_is_an_error_that_says_where_it_looked(run: Run, cache: CredentialCache, files: Path) -> None:
    (files / "credentials").unlink()
    with pytest.raises(CredentialsNotFound, match="aws sso login") as missing:
        run(credentials_flow(cache, {}, 0.0))
    for place in ("AWS_ACCESS_KEY_ID", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "profiles, SSO, instance metadata"):
        assert place in str(missing.value)


def test_without_botocore_the_error_says_that_profiles_were_not_read(
    run: Run, cache: CredentialCache, without_botocore: None
) -> None:
    with pytest.raises(CredentialsNotFound, match=r"botocore is not installed.*pip install 'lambdallm\[deploy\]'"):
        run(credentials_flow(cache, {}, 0.0))


# --- region ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-west-2"}, "us-east-1"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": " us-west-2\n"}, "us-west-2"),
        ({}, "eu-west-3"),
        ({"AWS_PROFILE": "work"}, "sa-east-1"),
    ],
)
def test_the_region_comes_from_the_environment_then_from_the_profile(environ: dict[str, str], found: str) -> None:
    assert region(environ) == require_region(environ) == found


def test_without_botocore_and_variables_there_is_no_region(without_botocore: None) -> None:
    assert region({}) is None
    with pytest.raises(RegionNotFound, match="Set AWS_REGION, for example to us-east-1"):
        require_region({})


@pytest.mark.parametrize("name", ["us-east-1.evil.example/", "us east", "us-east-1@evil", "-", "ü-1"])
def test_a_region_that_would_change_the_host_is_refused(name: str) -> None:
    with pytest.raises(RegionNotFound, match="is not an AWS region"):
        region({"AWS_REGION": name})


def test_a_missing_profile_is_an_error_for_the_region_too() -> None:
    with pytest.raises(AwsError, match="nobody"):
        region({"AWS_PROFILE": "nobody"})
