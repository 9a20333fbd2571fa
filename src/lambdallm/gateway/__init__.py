"""The gateway: one URL for a team, which speaks OpenAI's, Anthropic's and Gemini's protocols to clients of any of them.

One application of flows, hosted by Lambda (whole or streamed answers) or by an ASGI server.
"""
