"""Keys made for the tests, tokens forgotten between them."""

import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from lambdallm.llm.auth.tokens import CACHE


def pem_of(key, form=serialization.PrivateFormat.PKCS8):
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


@pytest.fixture(scope="session")
def rsa_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(autouse=True)
def _no_token_in_hand():
    CACHE.clear()
    yield
    CACHE.clear()


@pytest.fixture
def account(rsa_key):
    """A service account's key file, as Google writes it."""
    return {
        "type": "service_account",
        "project_id": "my-project",
        "private_key_id": "abc123",
        "private_key": pem_of(rsa_key),
        "client_email": "robot@my-project.iam.gserviceaccount.com",
        "token_uri": "https://oauth2.googleapis.com/token",
    }


@pytest.fixture
def credentials_file(tmp_path):
    def write(content):
        path = tmp_path / "credentials.json"
        path.write_text(json.dumps(content))
        return str(path)

    return write
