"""API keys of the gateway: who may ask, what, and how much; kept in Cognito, SQLite, DynamoDB, Redis or memory.

    keys = Keys(key_store("cognito:eu-central-1_Ab12Cd34E"), peppers=(pepper,), admins=Admins(admin_key))
    caller = yield from keys.authorized(request)

A key is shown once, when it is made; only a hash is stored. `Keys` recognises keys and remembers them for seconds,
`KeyLedger` makes and changes them and writes every change down, `KEY_ROUTES` are both over REST.
"""

from __future__ import annotations

from ..._door import door

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .admins import Admins
    from .audit import Actor, Audit
    from .cognito_store import CognitoKeyStore
    from .iam import caller_arn
    from .keys import Keys
    from .ledger import KeyLedger, Minted
    from .opened import opened_keys
    from .record import KeyRecord
    from .routes import KEY_ROUTES
    from .state_store import StateKeyStore
    from .store import Owner
    from .stores import key_store

__all__ = [
    "KEY_ROUTES",
    "Actor",
    "Admins",
    "Audit",
    "CognitoKeyStore",
    "KeyLedger",
    "KeyRecord",
    "Keys",
    "Minted",
    "Owner",
    "StateKeyStore",
    "caller_arn",
    "key_store",
    "opened_keys",
]

_HOMES = {
    "KEY_ROUTES": "routes",
    "Actor": "audit",
    "Admins": "admins",
    "Audit": "audit",
    "CognitoKeyStore": "cognito_store",
    "KeyLedger": "ledger",
    "KeyRecord": "record",
    "Keys": "keys",
    "Minted": "ledger",
    "Owner": "store",
    "StateKeyStore": "state_store",
    "caller_arn": "iam",
    "key_store": "stores",
    "opened_keys": "opened",
}

__getattr__, __dir__ = door(__name__, _HOMES)
