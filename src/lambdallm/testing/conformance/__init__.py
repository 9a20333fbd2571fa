"""Check codecs against recorded exchanges: what was on the wire, and what the vendor's own SDK makes of it. Stores of
sessions have a kit of their own: see `store`.

A corpus is a folder of JSON files, `<provider>/<api>/<id>.json`, one exchange each. `decode_exchange` decodes the
response of one and tells the outcome in the words of the file's `expected`; `compare` lists the differences.

    python -m lambdallm.testing.conformance --corpus corpus/ --provider groq --verbose

**To check a provider of your own**, record a few of its answers into files of this shape and run the line above:

    {
      "id": "hello", "provider": "acme", "api": "chat", "stream": false,
      "response": {"status": 200, "headers": {"content-type": "application/json"}, "body": "{\\"choices\\": …}"},
      "expected": {"kind": "chat", "text": "Hi.", "thinking": null, "tool_calls": [], "finish_reason": "stop",
                   "usage": {"input": 9, "output": 2, "cached": null, "cache_write": null, "reasoning": null,
                             "total": 11, "native": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}}}
    }

`body` is text as sent; `body_b64` holds bytes (an AWS event stream) instead. A file without `expected` is decoded, and
passes when every split gives the same. A provider without a row in `table.APIS` is read as the protocol that its `api`
names: `chat` and `openai_compat` mean OpenAI's chat protocol. From a test of your own:

    @pytest.mark.parametrize("split", ["whole", "bytes", 1, 2, 3])
    def test_my_provider(split):
        exchange = json.loads(Path("acme/chat/hello.json").read_text())
        assert compare(exchange["expected"], decode_exchange(exchange, split=split)) == []
"""

from __future__ import annotations

from .compare import compare
from .decode import Unsupported, decode_exchange

__all__ = ["Unsupported", "compare", "decode_exchange"]
