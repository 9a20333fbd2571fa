"""Messages as clients of the OpenAI chat protocol send them, into ours: the inverse of `messages`.

Fields that nothing here models are kept as this protocol's notes. Functions of the days before tools become tools: a
call without an id gets one that its result names. Sources: OpenAI, "Create chat completion: messages"; OpenRouter,
"Preserving reasoning"; Mistral, "Document understanding" and "Reasoning"; DeepSeek, "Chat prefix completion".
"""

from __future__ import annotations

from ...types import (
    AudioPart,
    ChatMessage,
    DocumentPart,
    ImagePart,
    ProviderPart,
    RefusalPart,
    TextPart,
    ToolCall,
    ToolResult,
)
from ..openai_asked import (
    from_base64,
    from_data_uri,
    invalid,
    items,
    missing,
    need,
    path,
    take,
    wrong_kind,
    wrong_value,
)
from ..openai_prompt_cache import BREAKPOINT, mark_of
from .asked_thoughts import decode_reasoning, untold
from .carried import restored, without_carried
from .fields import PROTOCOL, REASONING_FIELDS, leftovers, noted
from .response import call_body, content_part
from .thoughts import DETAILS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any, TypeAlias

    from ...types import Metadata, Part

    Record: TypeAlias = dict[str, Any]

ROLES = ("system", "developer", "user", "assistant", "tool", "function")
_SPEAKERS = ("user", "assistant", "system", "developer")
_MEDIA_TYPES = {"mp3": "audio/mpeg", "m4a": "audio/mp4"}
_MESSAGE = frozenset(("role", "content", "name"))
_ASSISTANT = _MESSAGE | {"refusal", "tool_calls", "function_call", DETAILS, *REASONING_FIELDS}
_RESULT = _MESSAGE | {"tool_call_id"}
_CALL = frozenset(("index", "id", "type", "function", "custom"))
_CACHE = "cache_control"


def kept(record: Record, known: Collection[str], **form: Any) -> Metadata:
    """The metadata of what has fields beyond the known: a mark for the prompt cache under the name that other protocols
    know too, the rest as notes."""
    rest = leftovers(record, known)
    if _CACHE in rest:
        marker = {_CACHE: rest.pop(_CACHE)}
        return {**noted(rest, **form), **marker}
    if BREAKPOINT in rest and (mark := mark_of(rest[BREAKPOINT])) is not None:
        del rest[BREAKPOINT]
        return {**noted(rest, **form, mark=BREAKPOINT), _CACHE: mark}
    return noted(rest, **form)


class _Functions:
    """The ids of calls of the days when a function's result named no call."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}
        self._count = 0

    def called(self, name: str) -> str:
        """An id for a call, which is the one that the next result of that function answers."""
        self._ids[name] = f"call_{self._count}"
        self._count += 1
        return self._ids[name]

    def answered(self, name: str) -> str:
        """The id of the call that a result answers."""
        return self._ids.get(name) or self.called(name)


def decode_messages(fields: Record) -> tuple[ChatMessage, ...]:
    """All messages. Raises `InvalidRequestError` for the first that is malformed."""
    if fields.get("messages") is None:
        raise missing("messages")
    found = items(fields, "messages")
    if not found:
        raise invalid("Invalid 'messages': expected at least one message, but got an empty array.", "messages")
    functions = _Functions()
    return tuple(_message(message, where, functions) for message, where in found)


def _message(message: Record, where: str, functions: _Functions) -> ChatMessage:
    role: Any = need(message, "role", "string", where)
    if len(message) == 2 and role in _SPEAKERS and isinstance(content := message.get("content"), str):
        return ChatMessage(role, content)  # what most messages are
    if role not in ROLES:
        raise wrong_value(role, ROLES, path(where, "role"))
    if role in ("tool", "function"):
        return ChatMessage("tool", (_result(message, where, functions),))
    if role == "assistant":
        return _assistant(message, where, functions)
    name = take(message, "name", "string", where)
    return ChatMessage(role, _content(message, where), name, kept(message, _MESSAGE))


def _assistant(message: Record, where: str, functions: _Functions) -> ChatMessage:
    message, carried = without_carried(message)
    said = _parts(_content(message, where))
    if (refusal := take(message, "refusal", "string", where)) is not None:
        said += (RefusalPart(refusal),)
    calls = tuple(_call(call, place) for call, place in items(message, "tool_calls", where))
    parts = (*decode_reasoning(message, where), *said, *calls, *_function_call(message, where, functions))
    name = take(message, "name", "string", where)
    metadata = kept(message, _ASSISTANT - untold(message))
    if isinstance(message.get("content"), str) and parts == said and not refusal and not carried:
        return ChatMessage("assistant", message["content"], name, metadata)
    return ChatMessage("assistant", restored(parts, carried), name, metadata)


def _parts(content: str | tuple[Part, ...]) -> tuple[Part, ...]:
    if isinstance(content, str):
        return (TextPart(content),) if content else ()
    return content


def _result(message: Record, where: str, functions: _Functions) -> ToolResult:
    name = take(message, "name", "string", where)
    metadata = kept(message, _RESULT)
    if message["role"] == "function":
        id = functions.answered(need(message, "name", "string", where))
    else:
        id = need(message, "tool_call_id", "string", where)
    return ToolResult(id, _content(message, where), name, metadata=metadata)


def _function_call(message: Record, where: str, functions: _Functions) -> tuple[ToolCall, ...]:
    call = take(message, "function_call", "object", where)
    if call is None:
        return ()
    name = need(call, "name", "string", path(where, "function_call"))
    return (_called(functions.called(name), call, kept(call, ("name", "arguments"))),)


def _call(call: Record, where: str) -> ToolCall:
    id = need(call, "id", "string", where)
    if take(call, "custom", "object", where) is None:
        need(call, "function", "object", where)
    body, form = call_body(call)
    need(body, "name", "string", path(where, "custom" if form else "function"))
    inner = leftovers(body, ("name", "arguments"))
    metadata = kept(call | ({"function": inner} if inner else {}), _CALL - {"function"} if inner else _CALL, **form)
    return _called(id, body, metadata)


def _called(id: str, body: Record, metadata: Metadata) -> ToolCall:
    arguments = body.get("arguments")
    if isinstance(arguments, str):
        return ToolCall.from_json(id, body["name"], arguments, metadata)
    return ToolCall(id, body["name"], {} if arguments is None else arguments, None, metadata)


def _content(message: Record, where: str) -> str | tuple[Part, ...]:
    content = message.get("content")
    if content is None or isinstance(content, str):
        return content or ""
    place = path(where, "content")
    if not isinstance(content, list):
        raise wrong_kind(content, "one of a string or array of objects", place)
    return tuple(_item(item, f"{place}[{number}]") for number, item in enumerate(content))


def _item(item: Any, where: str) -> Part:
    """One item of a content list."""
    if isinstance(item, str):
        return TextPart(item)
    if not isinstance(item, dict):
        raise wrong_kind(item, "an object", where)
    kind = need(item, "type", "string", where)
    decode = _ITEMS.get(kind)
    if decode is None:
        return ProviderPart(kind, {key: value for key, value in item.items() if key != "type"}, PROTOCOL)
    return decode(item, where)


def _text(item: Record, where: str) -> TextPart:
    return TextPart(need(item, "text", "string", where), metadata=kept(item, ("type", "text")))


def _image(item: Record, where: str) -> ImagePart:
    image = item.get("image_url")
    image = {"url": image} if isinstance(image, str) else need(item, "image_url", "object", where)
    place = path(where, "image_url")
    url = need(image, "url", "string", place)
    data, media_type = from_data_uri(url, path(place, "url"))
    detail = take(image, "detail", "string", place)
    metadata = _inner(item, "image_url", image, ("url", "detail"))
    return ImagePart(None if data is not None else url, data, media_type, detail, metadata)


def _inner(item: Record, key: str, inner: Record, known: tuple[str, ...], **form: Any) -> Metadata:
    """What an item and the object inside it have beyond the known fields."""
    rest = leftovers(inner, known)
    return kept(item | {key: rest} if rest else item, ("type",) if rest else ("type", key), **form)


def _audio(item: Record, where: str) -> Part:
    audio = item.get("input_audio")
    if not isinstance(audio, dict) or "data" not in audio:
        return ProviderPart("input_audio", {"input_audio": audio}, PROTOCOL)
    place = path(where, "input_audio")
    data = from_base64(need(audio, "data", "string", place), path(place, "data"))
    form: str = need(audio, "format", "string", place)
    return AudioPart(
        data, _MEDIA_TYPES.get(form, f"audio/{form}"), _inner(item, "input_audio", audio, ("data", "format"))
    )


def _file(item: Record, where: str) -> DocumentPart:
    file, place = need(item, "file", "object", where), path(where, "file")
    source = take(file, "file_data", "string", place)
    metadata = _inner(item, "file", file, ("file_data", "file_id", "filename"), part="file")
    data, media_type, url = _source(source, path(place, "file_data"))
    id, name = take(file, "file_id", "string", place), take(file, "filename", "string", place)
    return DocumentPart(data, media_type, url=url, file_id=id, name=name, metadata=metadata)


def _source(source: str | None, where: str) -> tuple[bytes | None, str | None, str | None]:
    """Bytes and media type, or a URL. OpenAI takes base64 without `data:` too."""
    if source is None:
        return None, None, None
    data, media_type = from_data_uri(source, where)
    if data is None and ":" in source[:32]:
        return None, None, source
    return (from_base64(source, where) if data is None else data), media_type, None


def _document(item: Record, where: str) -> DocumentPart:
    """Mistral's `document_url`."""
    url = need(item, "document_url", "string", where)
    data, media_type = from_data_uri(url, path(where, "document_url"))
    name = take(item, "document_name", "string", where)
    metadata = kept(item, ("type", "document_url", "document_name"), part="document_url")
    return DocumentPart(data, media_type, url=None if data is not None else url, name=name, metadata=metadata)


def _refusal(item: Record, where: str) -> RefusalPart:
    metadata = kept(item, ("type", "refusal"), place="content")
    return RefusalPart(need(item, "refusal", "string", where), metadata)


_ITEMS: dict[str, Callable[[Record, str], Part]] = {
    "text": _text,
    "image_url": _image,
    "input_audio": _audio,
    "file": _file,
    "document_url": _document,
    "refusal": _refusal,
    "thinking": lambda item, _where: content_part(item),
}
