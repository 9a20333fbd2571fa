"""What recognising a key loads: no asyncio, no web framework, no AWS SDK, no SQLite; cold starts pay for modules."""

import subprocess
import sys

PROGRAM = f"""
import sys
sys.path[:0] = {[path for path in sys.path if path.endswith("src")]!r}
from lambdallm.gateway.http import GatewayError, GatewayRequest
from lambdallm.gateway.keys import Admins, Keys, key_store
from lambdallm.llm.drivers import Driver
from lambdallm.runtime.request import Headers

keys = Keys(key_store("cognito:us-east-1_Ab12Cd34E"), peppers=("7Lr0TnZb4Wm8JvX2-pQ9sKdc6Hf1Gy3Ue5",),
            admins=Admins("vX2-pQ9sKd7Lr0TnZb4Wm8Jc6Hf1Gy3Ue5"))
try:
    Driver().run(keys.authorized(GatewayRequest("GET", "/", Headers([("x-api-key", "sk-llm-x")]))))
except GatewayError as error:
    assert error.status == 401
print(*sys.modules)
"""

FORBIDDEN = {
    "asyncio", "http", "urllib", "sqlite3", "boto3", "botocore", "typing", "dataclasses", "inspect", "logging",
    "datetime", "uuid", "random", "threading", "traceback", "secrets", "email", "concurrent", "ssl",
    "lambdallm.gateway.keys.ledger", "lambdallm.gateway.keys.audit", "lambdallm.gateway.keys.endpoints",
    "lambdallm.state.file",
}  # fmt: skip


def test_a_key_is_recognised_without_what_costs_a_cold_start():
    told = subprocess.run([sys.executable, "-I", "-S", "-c", PROGRAM], capture_output=True, text=True, timeout=60)
    assert told.returncode == 0, told.stderr
    assert FORBIDDEN & set(told.stdout.split()) == set()
