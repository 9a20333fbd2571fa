"""The types of sessions and their stores, as a type checker sees them."""

from typing import Any, assert_type

from lambdallm.llm.flow import Flow
from lambdallm.llm.types import ChatMessage
from lambdallm.state import (
    ContextWindow,
    DynamoDBStateStore,
    FileStateStore,
    MemoryStateStore,
    MemoryStrategy,
    OffloadedStore,
    RedisStateStore,
    SealedStore,
    Session,
)
from lambdallm.state.sealed import Encryption
from lambdallm.state.store import StateStore


def documented() -> None:
    """The documented class and methods."""
    session = Session(store="dynamodb", ttl_hours=24, memory=MemoryStrategy.SLIDING_WINDOW, max_messages=20)
    assert_type(session.load("7"), Session)
    assert_type(session.add_message("user", "Hi"), ChatMessage)
    assert_type(session.get_history(), list[dict[str, Any]])
    assert_type(session.format_history(), str)
    assert_type(session.messages, tuple[ChatMessage, ...])
    assert_type(session.state, dict[str, Any])
    session.clear()
    session.save()
    session.add_message("robot", "Hi")  # type: ignore[arg-type]  # no role


async def awaiting(session: Session) -> None:
    """The asynchronous twins, and the flows that both are made of."""
    assert_type(await session.aload("7"), Session)
    await session.asave()
    loading: Flow[None] = session.loading()
    assert_type(loading, Flow[None])


class Mine(Session):
    """A subclass stays itself."""


class Keys:
    """Encryption of one's own, asynchronous in one direction."""

    def encrypt(self, data: bytes, /) -> bytes:
        return data

    async def decrypt(self, data: bytes, /) -> bytes:
        return data


def own(session: Mine, keys: Keys) -> None:
    """What people bring."""
    assert_type(session.opened({}, None), Mine)
    encryption: Encryption = keys
    Session(MemoryStateStore(), encryption=encryption)
    assert_type(ContextWindow("openai/gpt-4o").fit(session.messages).dropped, int)


def stores(keys: Keys) -> list[StateStore]:
    """Each of them is a store of journals."""
    memory = MemoryStateStore()
    from lambdallm.llm.services import S3Bucket

    return [
        memory,
        FileStateStore("state.db"),
        RedisStateStore("redis://localhost"),
        DynamoDBStateStore("state"),
        SealedStore(memory, keys),
        OffloadedStore(memory, S3Bucket("bucket")),
    ]
