"""Values: frozen, slotted, compared by content; what a frozen, slotted dataclass is, at a tenth of its cold start.

`dataclasses` costs 5 ms to import (through `inspect`) and 0.5 ms for each class it decorates, which for the values of
this package is more than a whole first call. A `Value` writes its constructor when it has been called a few times: to
compile one takes as long as a hundred calls without. Type checkers see a frozen dataclass; so does `dataclasses` itself
(`fields`, `asdict`, `replace` work), which is imported only when somebody asks.

Rules for an editor: annotate fields, give immutable defaults, put fields without a default first, and start the module
with `from __future__ import annotations`. A subclass adds fields after its parent's.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar, Self, dataclass_transform
else:

    def dataclass_transform(**_options):
        """Stand in for `typing.dataclass_transform`, which only type checkers read."""
        return lambda cls: cls


_MISSING: Any = object()


def _field(default: Any) -> Any:
    """A field with a default; `dataclasses` takes one that can't be hashed, such as a mapping, from a factory."""
    import dataclasses

    if type(default).__hash__ is None:
        return dataclasses.field(default_factory=lambda: default)
    return dataclasses.field(default=default)


class _DataclassFields:
    """Answer `__dataclass_fields__` for `dataclasses.fields` and its kin, building the answer when first asked."""

    def __get__(self, instance: object, owner: type[Value]) -> dict[str, Any]:
        cached: dict[str, Any] | None = owner.__dict__.get("_dataclass_fields")
        if cached is None:
            import dataclasses

            fields = [
                (name, "object", _field(owner._defaults.get(name, dataclasses.MISSING))) for name in owner._fields
            ]
            shape = dataclasses.make_dataclass(owner.__name__, fields)
            cached = {f.name: f for f in dataclasses.fields(shape)}
            type.__setattr__(owner, "_dataclass_fields", cached)
        return cached


class _ValueType(type):
    """Turns annotations into slots and remembers defaults."""

    _fields: tuple[str, ...]
    _defaults: dict[str, Any]

    def __new__(mcs, name: str, bases: tuple[type, ...], space: dict[str, Any]) -> _ValueType:
        own = tuple(n for n, kind in space.get("__annotations__", {}).items() if not str(kind).startswith("ClassVar"))
        defaults = {n: space.pop(n) for n in own if n in space}
        space["__slots__"] = own
        cls = super().__new__(mcs, name, bases, space)
        if "__init__" not in space:
            type.__setattr__(cls, "__init__", _unwritten_init(cls))
        inherited = [base for base in bases if isinstance(base, _ValueType)]
        cls._fields = tuple(f for base in inherited for f in base._fields) + own
        cls._defaults = {k: v for base in inherited for k, v in base._defaults.items()} | defaults
        type.__setattr__(cls, "__match_args__", cls._fields)
        return cls


_WORTH_WRITING = 8
"""From which call on a class has a constructor of its own."""


def _unwritten_init(cls: Any) -> Any:
    """A constructor for the first few calls, then the class's own; threads that meet here write the same."""
    calls = 0

    def __init__(self: Value, /, *args: Any, **kwargs: Any) -> None:
        nonlocal calls
        calls += 1
        if calls < _WORTH_WRITING and _filled(cls, self, args, kwargs):
            return
        init = _write_init(cls)
        type.__setattr__(cls, "__init__", init)
        init(self, *args, **kwargs)

    return __init__


def _filled(cls: Any, value: Value, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Store the fields one by one; `False` where the arguments don't fit, of which a constructor knows what to say."""
    names = cls._fields
    given = dict(zip(names, args, strict=False))
    fields = {**cls._defaults, **given, **kwargs}
    fits = len(args) <= len(names) == len(fields) and given.keys().isdisjoint(kwargs)
    if not (fits and all(name in fields for name in names)):
        return False
    for name in names:
        object.__setattr__(value, name, fields[name])
    if hasattr(cls, "__post_init__"):
        cls.__post_init__(value)
    return True


def _write_init(cls: type[Value]) -> Any:
    """A constructor that stores each field through its slot: 40 ns a field, against 90 for `object.__setattr__`."""
    space: dict[str, Any] = {f"_set_{name}": getattr(cls, name).__set__ for name in cls._fields}
    space |= {f"_default_{name}": value for name, value in cls._defaults.items()}
    parameters = "".join(f", {n}=_default_{n}" if n in cls._defaults else f", {n}" for n in cls._fields)
    body = "".join(f"\n _set_{n}(self, {n})" for n in cls._fields) or "\n pass"
    if hasattr(cls, "__post_init__"):
        body += "\n self.__post_init__()"
    exec(f"def __init__(self{parameters}):{body}", space)
    init = space["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    return init


@dataclass_transform(frozen_default=True)
class Value(metaclass=_ValueType):
    """The base of every value in LambdaLLM: immutable, compared and hashed by its fields, cheap to import.

    class Point(Value):
        x: int
        y: int = 0

    Point(1).replace(y=2)   # Point(x=1, y=2)
    """

    if TYPE_CHECKING:
        _fields: ClassVar[tuple[str, ...]]
        _defaults: ClassVar[dict[str, Any]]
    else:
        __dataclass_fields__ = _DataclassFields()

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed. Raises `TypeError` for a name that is not a field."""
        return type(self)(**({name: getattr(self, name) for name in self._fields} | changes))

    __replace__ = replace

    def _set(self, name: str, value: Any) -> None:
        """Normalise a field from `__post_init__`, the only place that may."""
        object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable; use .replace({name}=…) for a changed copy.")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable; {name!r} can't be deleted.")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self._fields)

    def __hash__(self) -> int:
        return hash((type(self), *(getattr(self, name) for name in self._fields)))

    def __repr__(self) -> str:
        """Fields that differ from their defaults, so that logs stay short."""
        shown = []
        for name in self._fields:
            value = getattr(self, name)
            if value != self._defaults.get(name, _MISSING):
                shown.append(f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle only what differs from the defaults: read-only empty mappings among those can't be pickled."""
        values = ((name, getattr(self, name)) for name in self._fields)
        return _restore, (type(self), {n: v for n, v in values if v is not self._defaults.get(n, _MISSING)})


def _restore(cls: type[Value], fields: dict[str, Any]) -> Value:
    return cls(**fields)
