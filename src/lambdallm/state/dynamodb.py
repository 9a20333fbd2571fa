"""State in a DynamoDB table: nothing to run, nothing to pay while idle.

A journal is a partition (`pk`): an item for each entry, and a head (`sk` = `head`) that says which entries count. An
append is one transaction of the head, on the condition that it is as its writer knows it, and the entries: all or
nothing. It costs twice the write units of plain writes; reading is one query, whatever the number of entries.

    pk            sk                             what
    session:7     9f2c41d0#000000000031          an entry; one that is `whole` stands for all before it
    session:7     9f2c41d0#000000000032#a1#0000  a part of an entry that is too large for an item
    session:7     head                           gen, begins, ends, lives_until, …

`gen` is a journal's own mark: one that is removed and begun again never meets its old entries, or a writer who knew it.
What is no longer counted is deleted afterwards, or by DynamoDB's TTL (`expires_at`).

An entry may not expire before its head. So entries are kept for twice their journal's time, and are given more when
less than once that time is left of it: a rewrite of each entry, once in the time a session lives (a day by default) as
long as it is in use, fewer where journals are compacted.

Sources: "TransactWriteItems" and "Quotas in Amazon DynamoDB"; "Using time to live (TTL) in DynamoDB".
"""

from __future__ import annotations

from ..llm.backends.errors import BackendError, ConditionFailed
from ..llm.backends.table import DynamoDBTable
from ..llm.backends.writes import Delete, Put
from ..llm.flow import NOW, Sleep
from .dynamodb_items import HEAD_KEY, Head, Life, assembled, fresh_mark, sort_key, update_of
from .store import MOST_AT_ONCE, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Literal

    from ..llm.flow import Flow
    from .dynamodb_items import Item
    from .store import Entry

PART_BYTES = 380_000
"""What one item holds of an entry; DynamoDB takes 400 KB with the names and the key."""
_TRANSACTION_BYTES = 3_000_000
_LOOKS = 4
_MOST_REMEMBERED = 1000


class DynamoDBStateStore:
    """Journals in a table with the keys `pk` and `sk` (both text) and TTL on `expires_at`; see `store.StateStore`.

        DynamoDBStateStore("lambdallm-state", prefix="orders:")

    Keys begin with `prefix`. `region` and `endpoint` are found where the other AWS settings are when not given;
    `timeout_seconds` bounds a request with all its tries. The function's role needs `dynamodb:GetItem`, `PutItem`,
    `UpdateItem`, `DeleteItem`, `Query` and `BatchWriteItem` on the table.
    """

    gives_flows: Literal[True] = True

    def __init__(
        self,
        table: str = "lambdallm-state",
        *,
        region: str | None = None,
        endpoint: str | None = None,
        prefix: str = "",
        timeout_seconds: float = 5.0,
        jitter: Callable[[], float] | None = None,
    ) -> None:
        self.prefix = prefix
        self.table = DynamoDBTable(
            table, region=region, endpoint=endpoint, sort_key_name="sk", timeout_seconds=timeout_seconds, jitter=jitter
        )
        self._gens: dict[str, str] = {}
        """The marks of journals read lately, so that an append need not read the head first."""

    def read(self, key: str, after: int = 0) -> Flow[list[Entry]]:
        """The entries numbered above `after`."""
        pk = self.prefix + key
        for look in range(_LOOKS):
            items = yield from self._items(pk, after)
            head = next((Head.of(item) for item in items if item["sk"] == HEAD_KEY), None)
            if head is None or not head.lives((yield NOW).wall):
                self._gens.pop(pk, None)
                return []
            self._remember(pk, head.gen)
            entries = assembled(items, head, after)
            if entries is not None:
                return entries
            yield Sleep(0.02 * look)
        said = f"The journal {shown(key)!r} has lost entries that its head counts."
        raise BackendError(said, fix="Remove it, or restore the table; check who else deletes items.", retryable=False)

    def append(self, key: str, after: int, entries: Sequence[bytes], ttl_seconds: float | None = None) -> Flow[None]:
        """Add entries after the one numbered `after`. Raises `ValueError` for more than 90 at once."""
        if len(entries) > MOST_AT_ONCE:
            raise ValueError(f"{len(entries)} entries can't be appended at once; {MOST_AT_ONCE} can.")
        if not entries:
            return
        pk, life = self.prefix + key, Life((yield NOW).wall, ttl_seconds)
        gen = fresh_mark() if after == 0 else (yield from self._gen(pk, key))
        places = [(gen, after + at) for at in range(1, len(entries) + 1)]
        puts, parts = self._puts(pk, places, entries, life)
        yield from self.table.batch_write(parts)
        try:
            if after == 0:
                yield from self._begin(pk, gen, len(entries), puts, life)
            else:
                yield from self._commit(
                    pk, gen, "ends = :after", {":after": after}, {"ends": places[-1][1]}, puts, life
                )
        except ConditionFailed as error:
            yield from self._discard(pk, parts)
            raise ConditionFailed(f"The journal {shown(key)!r} does not end with entry {after}.", error.item) from error

    def compact(self, key: str, through: int, entry: bytes, ttl_seconds: float | None = None) -> Flow[None]:
        """Put one entry in the place of all up to `through`."""
        pk, life = self.prefix + key, Life((yield NOW).wall, ttl_seconds)
        gen = yield from self._gen(pk, key)
        puts, parts = self._puts(pk, [(gen, through)], [entry], life, whole=True)
        yield from self.table.batch_write(parts)
        condition = "begins <= :through AND ends >= :through"
        try:
            yield from self._commit(pk, gen, condition, {":through": through}, {"begins": through}, puts, life)
        except ConditionFailed as error:
            yield from self._discard(pk, parts)
            raise ConditionFailed(f"The journal {shown(key)!r} has no entry {through}.", error.item) from error
        gone = yield from self.table.query(pk, after=f"{gen}#", before=sort_key(gen, through))
        yield from self._discard(pk, [Delete((pk, item["sk"])) for item in gone])

    def remove(self, key: str) -> Flow[None]:
        """Forget a journal. The head goes first, so that nobody appends to what is being deleted."""
        pk = self.prefix + key
        self._gens.pop(pk, None)
        head = yield from self.table.get((pk, HEAD_KEY))
        if head is None:
            return
        try:
            yield from self.table.delete((pk, HEAD_KEY), condition="gen = :gen", values={":gen": head["gen"]})
        except ConditionFailed:
            return
        gone = yield from self.table.query(pk, after=f"{head['gen']}#", before=f"{head['gen']}$")
        yield from self.table.batch_write([Delete((pk, item["sk"])) for item in gone])

    def ensure_table(self) -> Flow[None]:
        """Create the table where it is missing: for development and tests."""
        yield from self.table.ensure()

    def _items(self, pk: str, after: int) -> Flow[list[dict[str, Any]]]:
        """The head and the entries above a number; the head comes last, so that all it counts has been written."""
        if after == 0:
            return (yield from self.table.query(pk))
        head = yield from self.table.get((pk, HEAD_KEY))
        if head is None:
            return []
        gen = head["gen"]
        entries = yield from self.table.query(pk, after=f"{sort_key(gen, after)}$", before=f"{gen}$")
        return [*entries, {**head, "sk": HEAD_KEY}]

    def _gen(self, pk: str, key: str) -> Flow[str]:
        """The mark of the journal that the caller has read. Raises `ConditionFailed` where there is none."""
        gen = self._gens.get(pk)
        if gen is None:
            head = yield from self.table.get((pk, HEAD_KEY))
            if head is None:
                raise ConditionFailed(f"There is no journal {shown(key)!r}.", {})
            gen = self._remember(pk, head["gen"])
        return gen

    def _remember(self, pk: str, gen: str) -> str:
        while len(self._gens) >= _MOST_REMEMBERED:
            self._gens.pop(next(iter(self._gens), ""), None)
        self._gens[pk] = gen
        return gen

    def _puts(
        self, pk: str, places: Sequence[tuple[str, int]], entries: Sequence[bytes], life: Life, *, whole: bool = False
    ) -> tuple[list[Put], list[Put]]:
        """The items of entries, and those of the parts of large ones, which are written before."""
        inline = min(PART_BYTES, _TRANSACTION_BYTES // len(entries))
        puts, parts = [], []
        for (gen, number), data in zip(places, entries, strict=True):
            sk = sort_key(gen, number)
            item: dict[str, Any] = {"number": number, **({"whole": True} if whole else {}), **life.of_entry}
            if len(data) > inline:
                mark, pieces = fresh_mark(), [data[at : at + PART_BYTES] for at in range(0, len(data), PART_BYTES)]
                item |= {"mark": mark, "pieces": len(pieces)}
                names = (f"{sk}#{mark}#{at:04d}" for at in range(len(pieces)))
                parts += [
                    Put((pk, name), {"piece": piece, **life.of_entry})
                    for name, piece in zip(names, pieces, strict=True)
                ]
            else:
                item["entry"] = data
            puts.append(Put((pk, sk), item))
        return puts, parts

    def _begin(self, pk: str, gen: str, ends: int, puts: Sequence[Put], life: Life) -> Flow[None]:
        """Write a new journal, where none lives."""
        told = {"gen": gen, "begins": 1, "ends": ends, **life.of_head, **life.of_all}
        head = {name: value for name, value in told.items() if value is not None}
        condition = "attribute_not_exists(pk) OR lives_until <= :now"
        yield from self.table.transact([Put((pk, HEAD_KEY), head, condition, values={":now": life.now}), *puts])
        self._remember(pk, gen)

    def _commit(
        self, pk: str, gen: str, condition: str, values: Item, sets: Item, puts: Sequence[Put], life: Life
    ) -> Flow[None]:
        """Change the head with the entries, on a condition; entries that would not last as long are given more time."""
        known = f"gen = :gen AND (attribute_not_exists(lives_until) OR lives_until > :now) AND {condition}"
        given = {":gen": gen, ":now": life.now, **values}
        lasting, lasts = life.lasting
        changed = update_of((pk, HEAD_KEY), {**sets, **life.of_head}, f"{known} AND {lasting}", {**given, **lasts})
        try:
            yield from self.table.transact([changed, *puts])
            return
        except ConditionFailed as error:
            head = error.item or (yield from self.table.get((pk, HEAD_KEY))) or {}
            self._gens.pop(pk, None)
            if head.get("gen") != gen or life.covers(head):
                raise
        yield from self._prolong(pk, gen, life)
        changed = update_of((pk, HEAD_KEY), {**sets, **life.of_head, **life.of_all}, known, given)
        yield from self.table.transact([changed, *puts])
        self._remember(pk, gen)

    def _prolong(self, pk: str, gen: str, life: Life) -> Flow[None]:
        """Give all entries of a journal the time that a new one has."""
        sets = {self.table.ttl_name: None, **life.of_entry}
        for item in (yield from self.table.query(pk, after=f"{gen}#", before=f"{gen}$")):
            change = update_of((pk, item["sk"]), sets, "attribute_exists(pk)", {})
            try:
                yield from self.table.update(
                    change.key, change.expression, condition=change.condition, values=change.values
                )
            except ConditionFailed:
                continue  # it was compacted away meanwhile

    def _discard(self, pk: str, items: Sequence[Put | Delete]) -> Flow[None]:
        """Delete what counts no more. What stays because the store fails now is harmless, and goes by its TTL."""
        try:
            yield from self.table.batch_write([Delete(item.key) for item in items])
        except BackendError as error:
            from logging import getLogger

            getLogger("lambdallm.state").info("%d items of %r were left behind: %s", len(items), pk, error)

    def __repr__(self) -> str:
        return f"DynamoDBStateStore({self.table.name!r})"
