"""What runs around every invocation."""
