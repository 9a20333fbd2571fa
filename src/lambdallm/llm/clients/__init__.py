"""The clients: the plain one, the documented ones (awaiting and blocking), the named ones, models in the process."""
