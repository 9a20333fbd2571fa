"""Whether a provider is worth calling: the circuit breaker."""
