"""Overview: what moves, what waits for you, what changed, and what serves."""
