"""Amazon Bedrock through the Converse API, which takes every model family (Claude, Titan, Llama, Nova, …) alike."""

from __future__ import annotations

from .wire import WireProvider

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class BedrockProvider(WireProvider):
    """Calls models on Amazon Bedrock, its requests signed by LambdaLLM: boto3 is not imported.

        BedrockProvider().invoke("Hello", ModelConfig(Model.CLAUDE_3_HAIKU)).content

    Credentials and region are those of the function: see `lambdallm.aws.credentials`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__("bedrock", **options)
