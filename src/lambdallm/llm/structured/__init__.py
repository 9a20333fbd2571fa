"""Answers with a shape: schemas, finding JSON in text, checking it."""
