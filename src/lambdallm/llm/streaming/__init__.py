"""Streams of chunks: putting them together again."""
