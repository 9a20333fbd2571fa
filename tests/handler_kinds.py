"""Handlers of both kinds from one function, so that what holds for `def` is proved for `async def` too.

    @made(kind, model="echo")
    async def function(event, context):
        return await context.ainvoke("Hello")

For `"def"` the function is made a blocking one, whose context blocks where the other awaits.
"""

from lambdallm import handler

KINDS = ("def", "async def")
_AWAITED = ("ainvoke", "ainvoke_structured", "ainvoke_prompt", "achat", "aembed", "aeach_record", "arun")


class Blocking:
    """A blocking context under the names of the awaiting methods."""

    def __init__(self, context):
        self.blocking = context

    def __getattr__(self, name):
        if name == "astream":
            return lambda *given, **named: _Pieces(self.blocking.stream(*given, **named))
        if name not in _AWAITED:
            return getattr(self.blocking, name)
        method = getattr(self.blocking, name[1:])

        async def call(*given, **named):
            return method(*given, **named)

        return call


class _Pieces:
    def __init__(self, stream):
        self._stream = stream

    async def texts(self):
        for text in self._stream.texts():
            yield text

    @property
    def completion(self):
        return self._stream.completion


def made(kind, **settings):
    """A decorator that makes a handler of the kind."""

    def decorated(function):
        if kind == "async def":
            return handler(**settings)(function)

        def blocking(event, context):
            coroutine = function(event, Blocking(context))
            try:
                coroutine.send(None)
            except StopIteration as end:
                return end.value
            raise AssertionError("It waited, though nothing has to be waited for.")

        return handler(**settings)(blocking)

    return decorated
