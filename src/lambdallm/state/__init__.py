"""What outlives an invocation: sessions, checkpoints, and the stores they are kept in."""
