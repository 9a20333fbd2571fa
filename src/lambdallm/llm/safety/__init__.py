"""Filters of what goes to a model and of what comes back, whole or streamed.

    client = SecureLLMClient(
        OpenAIClient(),
        input_filters=[PersonalDataFilter(), SecretsFilter()],
        output_filters=[SecretsFilter(action="block"), RegexFilter(r"PROJ-\\d{3,6}", "[TICKET]")],
    )
    answer = (await client.complete("Write to ada@example.com")).unwrap()

`lambdallm.llm.safety.sync` has the client that blocks. For a filter of your own, subclass `OutputFilter` and override
`apply`. Filters find forms, not meanings: they are one fence, and no proof that nothing gets past it.
"""

from __future__ import annotations

from ..._door import door

_HOMES = {
    "BlocklistFilter": "words",
    "InputFilter": "filters",
    "MaxLengthFilter": "words",
    "OutputFilter": "filters",
    "PersonalDataFilter": "personal",
    "RegexFilter": "rules",
    "RestoreFilter": "vault",
    "Rule": "rules",
    "RuleFilter": "rules",
    "SecretsFilter": "secrets",
    "SecureLLMClient": "client",
    "Vault": "vault",
}

__all__ = [
    "BlocklistFilter",
    "InputFilter",
    "MaxLengthFilter",
    "OutputFilter",
    "PersonalDataFilter",
    "RegexFilter",
    "RestoreFilter",
    "Rule",
    "RuleFilter",
    "SecretsFilter",
    "SecureLLMClient",
    "Vault",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .client import SecureLLMClient
    from .filters import InputFilter, OutputFilter
    from .personal import PersonalDataFilter
    from .rules import RegexFilter, Rule, RuleFilter
    from .secrets import SecretsFilter
    from .vault import RestoreFilter, Vault
    from .words import BlocklistFilter, MaxLengthFilter

__getattr__, __dir__ = door(__name__, _HOMES)
