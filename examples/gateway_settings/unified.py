"""One function for all providers, with a call of its own in the place of the network: it runs without a key."""

from collections import Counter
from pathlib import Path

from lambdallm.gateway.unified import UnifiedLLMHandler

FILE = Path(__file__).with_name("provider_configs.json")
ANSWER = {
    "model": "stand-in",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "The Elbe."}, "finish_reason": "stop"}],
    "content": [{"type": "text", "text": "The Elbe."}],
    "type": "message",
    "role": "assistant",
    "stop_reason": "end_turn",
    "usage": {"prompt_tokens": 4, "completion_tokens": 3, "input_tokens": 4, "output_tokens": 3},
}


class Offline(UnifiedLLMHandler):
    """Each of its steps can be overridden; this one has no network and no secrets."""

    def _get_api_key(self, secret_path):
        return "no-key"

    def _call_api(self, endpoint, provider_request, api_key, auth_type, auth_header):
        return ANSWER


def main() -> None:
    handler = Offline(FILE, logger=lambda line: None)
    event = {"provider": "openai", "messages": [{"role": "user", "content": "Name a river."}], "tools": []}
    answer = handler.handle_request(event)
    print(answer["content"], answer["provider"], answer["usage"]["total_tokens"])

    users = [{**event, "provider": "anthropic", "user_id": f"user-{number}"} for number in range(100)]
    print(Counter(handler.handle_request(each)["provider"] for each in users))


if __name__ == "__main__":
    main()
