"""AWS Secrets Manager: secrets by name or ARN, and keys within those that are JSON.

    key = yield from SecretsManager().get("prod/llm", json_key="openai")

Source: "GetSecretValue" in the AWS Secrets Manager API Reference.
"""

from __future__ import annotations

import json
from binascii import a2b_base64

from .errors import ServiceError
from .service import JsonService, ServiceFacts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..flow import Flow

SECRETS = ServiceFacts(
    title="Secrets Manager",
    name="secretsmanager",
    variable="SECRETS_MANAGER",
    target="secretsmanager",
    passing=frozenset(("InternalServiceError",)),
    fixes={
        "ResourceNotFoundException": "Create the secret, or check its name and region.",
        "DecryptionFailure": "Allow the function's role kms:Decrypt on the secret's key.",
        "InvalidRequestException": "Check that the secret is not being deleted.",
    },
)


class SecretsManager:
    """The secrets of one region. Raises `ServiceError`; names are shown in errors, what a secret holds never is."""

    def __init__(
        self,
        *,
        region: str | None = None,
        endpoint: str | None = None,
        timeout_seconds: float = 10.0,
        jitter: Callable[[], float] | None = None,
    ) -> None:
        self._service = JsonService(
            SECRETS, region=region, endpoint=endpoint, timeout_seconds=timeout_seconds, jitter=jitter
        )

    def get(self, secret_id: str, *, json_key: str | None = None, stage: str = "") -> Flow[str]:
        """What a secret holds as text, or what its JSON object has under `json_key`; text there is as it is.

        `secret_id` is a name or an ARN, `stage` the version's (the current one where it is empty).
        """
        body = {"SecretId": secret_id, **({"VersionStage": stage} if stage else {})}
        answer = yield from self._service.call("GetSecretValue", body, on=secret_id)
        text = answer.get("SecretString")
        if text is None:
            text = _decoded(answer.get("SecretBinary", ""), secret_id)
        return text if json_key is None else within(text, json_key, secret_id)


def _decoded(encoded: str, secret_id: str) -> str:
    try:
        return a2b_base64(encoded).decode()
    except ValueError:
        raise _unusable(f"The secret {secret_id!r} is binary, and no text.", "Store it as text.") from None


def within(text: str, key: str, secret_id: str) -> str:
    """What the JSON object that a secret holds has under a key. Raises `ServiceError`, which shows neither."""
    try:
        held = json.loads(text)
    except (ValueError, RecursionError):
        held = None
    if not isinstance(held, dict):
        said = f"The secret {secret_id!r} is no JSON object, so it has no key {key!r}."
        raise _unusable(said, "Leave the key out, or store an object.")
    if key not in held:
        raise _unusable(f"The secret {secret_id!r} has no key {key!r}.", "Check the key's name, and its case.")
    value = held[key]
    return value if isinstance(value, str) else json.dumps(value)


def _unusable(message: str, fix: str) -> ServiceError:
    return ServiceError(message, fix=fix, code="UnusableSecret", retryable=False, refused=True)
