"""Botocore's own search, where botocore is installed: profiles, SSO, assumed roles, instance metadata, region.

The one module that names botocore. It costs about 100 ms and does its own blocking requests, so it is asked last.
Botocore reads the process's environment and files by itself; only the profile is handed to it.
"""

from __future__ import annotations

from .credentials import Credentials
from .errors import CredentialsRefused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Protocol

    class FrozenKeys(Protocol):
        """What botocore's credentials hold at one moment."""

        access_key: str
        secret_key: str
        token: str | None

    class Chain(Protocol):
        """Botocore's credentials, which renew themselves when read."""

        def get_frozen_credentials(self) -> FrozenKeys:
            """The keys now."""
            ...


def find_chain(environ: Mapping[str, str]) -> Chain | None:
    """The credentials that botocore finds; `None` when it finds none or is not installed.

    Raises `CredentialsRefused` for a broken or missing profile.
    """
    session = _session(environ)
    if session is None:
        return None
    try:
        found: Chain | None = session.get_credentials()
    except Exception as error:  # noqa: BLE001  # botocore's sources raise its own tree, ClientError and ValueError
        raise _refused(error) from None
    return found


def read_chain(chain: Chain) -> Credentials:
    """The chain's credentials now, renewed if need be. They carry no expiry: botocore watches it.

    Raises `CredentialsRefused` when they can't be renewed, for example when an SSO login has ended.
    """
    try:
        keys = chain.get_frozen_credentials()
    except Exception as error:  # noqa: BLE001  # as above, and whatever a refresh meets
        raise _refused(error) from None
    return Credentials(keys.access_key, keys.secret_key, keys.token or None)


def find_region(environ: Mapping[str, str]) -> str | None:
    """The region of the profile in use; `None` when it names none or botocore is not installed."""
    session = _session(environ)
    if session is None:
        return None
    try:
        found = session.get_config_variable("region")
    except Exception as error:  # noqa: BLE001  # a broken configuration file, a missing profile
        raise _refused(error) from None
    return str(found) if found else None


def nothing_found() -> str:
    """What was looked for and how to mend it, for the error when no source has credentials."""
    looked = "the environment (AWS_ACCESS_KEY_ID), the container endpoint (AWS_CONTAINER_CREDENTIALS_FULL_URI)"
    if _import_session() is None:
        return (
            f"No AWS credentials: {looked} have none, and profiles and SSO were not read because botocore is not"
            " installed. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, give the function a role, or run"
            " pip install 'lambdallm[deploy]' to use profiles."
        )
    return (
        f"No AWS credentials: {looked} and botocore's chain (profiles, SSO, instance metadata) have none."
        " Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, run aws configure or aws sso login, or give the function"
        " a role."
    )


def _session(environ: Mapping[str, str]) -> Any:
    """A botocore session for the profile in use; `None` without botocore."""
    make = _import_session()
    if make is None:
        return None
    return make(profile=environ.get("AWS_PROFILE") or environ.get("AWS_DEFAULT_PROFILE"))


def _import_session() -> Any:
    try:
        from botocore.session import Session
    except ImportError:
        return None
    return Session


def _refused(error: Exception) -> CredentialsRefused:
    """Botocore's error in ours. What a credential process printed is left out: it may hold a key."""
    from_process = getattr(error, "kwargs", {}).get("provider") == "custom-process"
    said = "the profile's credential_process failed" if from_process else str(error).rstrip(".")
    return CredentialsRefused(
        f"Botocore's credential chain stopped: {said} ({type(error).__name__})."
        " Check AWS_PROFILE and ~/.aws/config, or run aws sso login."
    )
