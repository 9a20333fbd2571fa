"""Amazon Bedrock's InvokeModel and InvokeModelWithResponseStream: one door, behind which each vendor has its own body.

A codec for each body: `bedrock_invoke.anthropic`, `bedrock_invoke.titan` and so on, as a catalog entry names them; this
package itself is none. The model is in the URL, and so is whether the answer streams: a body names neither, unless its
vendor wants it to.

| codec | models | request |
|---|---|---|
| `anthropic` | Claude | Messages |
| `anthropic_text` | Claude 2 and Instant, as they were | prompt |
| `nova` | Amazon Nova | messages, as in Converse |
| `titan` | Amazon Titan Text | prompt |
| `llama` | Meta Llama, and models imported in its form | prompt |
| `mistral` | Mistral 7B, Mixtral, Small, Large 2402 | prompt |
| `mistral_chat` | Mistral Large 2407 and later, Pixtral, Ministral | chat |
| `cohere` | Command R and R+ | chat, version 1 of Cohere's own |
| `cohere_text` | Command and Command Light | prompt |
| `deepseek` | DeepSeek-R1 | prompt |
| `ai21_text` | Jurassic-2 | prompt |
| `chat` | AI21 Jamba, OpenAI's open models, Qwen, DeepSeek V3, Writer, imported models | chat, as OpenAI's |
| `titan_embeddings`, `nova_embeddings`, `cohere_embeddings` | their embedding models | texts |

Bodies that are a prompt take one fact of their own, `template`: which of the module's `TEMPLATES` writes the messages
(`plain` writes them as they are, for who brings a prompt of their own). All take `unsupported` and `ignored` (names of
request fields) and `param_names` (where a setting goes, as a dotted path). `anthropic`, `chat` and `mistral_chat` take
the facts of `anthropic_messages` and `openai_chat`, `nova` those of `bedrock_converse`.

What Bedrock itself is told goes in headers, by the names that Converse has for it: `extra` takes `guardrailConfig`,
`performanceConfig`, `serviceTier` and `requestMetadata`.

Sources: Bedrock API reference, "InvokeModel" and "InvokeModelWithResponseStream"; Bedrock user guide, "Inference
request parameters and response fields for foundation models".
"""

from __future__ import annotations

PATHS = {"chat": "/model/{model}/invoke", "stream": "/model/{model}/invoke-with-response-stream"}
"""Where every body's operations live below the endpoint."""

EMBED_PATHS = {"embed": PATHS["chat"]}
