"""What counting costs a cold start: the list is closed."""

import subprocess
import sys

import lambdallm

SOURCE = lambdallm.__path__[0].rpartition("/")[0]
CODE = """
from lambdallm.gateway.caller import Caller
from lambdallm.gateway.usage import Meter
from lambdallm.llm.drivers import Driver
from lambdallm.llm.types import Usage
meter, driver = Meter(), Driver()
reservation = driver.run(meter.reserve(Caller("k", "u", requests_per_minute=9, daily_budget_usd=1.0), "m", 9, 0.1))
driver.run(meter.settle(reservation, Usage(), 0.1, model="m", ok=True, latency_ms=1.0, status=200))
import lambdallm.gateway.usage.dynamodb, lambdallm.gateway.usage.endpoint
"""
NEVER = {
    "asyncio", "http", "urllib", "ssl", "socket", "logging", "dataclasses", "inspect", "typing", "threading",
    "datetime", "uuid", "random", "hashlib", "sqlite3", "redis", "boto3", "calendar", "traceback",
}  # fmt: skip


def test_a_call_is_counted_without_costly_modules():
    before, after = (
        f"import sys; sys.path.insert(0, {SOURCE!r}); before = set(sys.modules)",
        "set(sys.modules) - before",
    )
    script = f"{before}\n{CODE}\nprint(*({after}))"
    out = subprocess.run([sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=True).stdout
    assert {name.partition(".")[0] for name in out.split()} & NEVER == set()
