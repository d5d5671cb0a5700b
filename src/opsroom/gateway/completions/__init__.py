"""The OpenAI-compatible door: models under the names of routes and agents, as programs know them."""
