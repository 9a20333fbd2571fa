"""Embeddings on this machine: a folder says how its model pools, an engine runs it, answers are in OpenAI's shape."""
