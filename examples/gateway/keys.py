"""API keys of a gateway: made, recognised, limited to models, rotated with an overlap, revoked, and all of it written
down. No key of a provider and no network is needed.
"""

import secrets
import tempfile

from lambdallm.gateway import GatewayError, GatewayRequest
from lambdallm.gateway.keys import Actor, Admins, Keys, key_store
from lambdallm.llm.drivers import Driver
from lambdallm.runtime.request import Headers

run = Driver().run


def ask(keys, key):
    """Who a request with that key is from, or why it is from nobody."""
    request = GatewayRequest("POST", "/v1/chat/completions", Headers([("authorization", f"Bearer {key}")]))
    try:
        return run(keys.authorized(request)).user
    except GatewayError as error:
        return f"{error.status} {error.code}"


def main() -> None:
    folder = tempfile.mkdtemp()
    keys = Keys(
        key_store(f"sqlite:{folder}/keys.db"),
        peppers=(secrets.token_urlsafe(32),),
        admins=Admins({"erin": secrets.token_urlsafe(32)}),
    )
    ledger, erin = keys.ledger(), Actor("erin")

    minted = run(ledger.create(erin, "alice", {"name": "laptop", "models": ("gpt-*",), "monthly_budget_usd": 20}))
    print(f"the key is from {ask(keys, minted.key)}, a wrong one from {ask(keys, minted.key[:-1])}")

    rotated = run(ledger.rotate(erin, minted.record.id, 3600))
    print(f"the old one is from {ask(keys, minted.key)}, the new one from {ask(keys, rotated.key)}")

    run(ledger.revoke(erin, minted.record.id))
    print(f"revoked: {ask(keys, rotated.key)}")
    for record in run(ledger.audit.page()).records:
        print(f"  {record['by']} {record['action']} {record['outcome']}")


if __name__ == "__main__":
    main()
