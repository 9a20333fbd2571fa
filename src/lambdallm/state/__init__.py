"""What outlives an invocation: sessions, checkpoints, and the stores they are kept in.

    from lambdallm.state import DynamoDBStateStore, Session

    session = Session(store=DynamoDBStateStore("my-table"))

`Session` is a conversation; `ContextWindow` fits one into what a model can read. Stores keep journals, whatever is in
them: `MemoryStateStore`, `FileStateStore`, `RedisStateStore`, `DynamoDBStateStore`, and around them
`SealedStore` and `OffloadedStore`.
"""

from __future__ import annotations

from .._door import door

_HOMES = {
    "ContextWindow": "context_window",
    "DocumentStateStore": "documents",
    "DynamoDBStateStore": "dynamodb",
    "Entry": "store",
    "FileStateStore": "file",
    "MemoryStateStore": "memory",
    "MemoryStrategy": "strategies",
    "OffloadedStore": "offload",
    "RedisStateStore": "redis",
    "SealedStore": "sealed",
    "Session": "session",
    "SessionIdError": "auto_session",
}

__all__ = [
    "ContextWindow",
    "DocumentStateStore",
    "DynamoDBStateStore",
    "Entry",
    "FileStateStore",
    "MemoryStateStore",
    "MemoryStrategy",
    "OffloadedStore",
    "RedisStateStore",
    "SealedStore",
    "Session",
    "SessionIdError",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .auto_session import SessionIdError
    from .context_window import ContextWindow
    from .documents import DocumentStateStore
    from .dynamodb import DynamoDBStateStore
    from .file import FileStateStore
    from .memory import MemoryStateStore
    from .offload import OffloadedStore
    from .redis import RedisStateStore
    from .sealed import SealedStore
    from .session import Session
    from .store import Entry
    from .strategies import MemoryStrategy

__getattr__, __dir__ = door(__name__, _HOMES)
