"""Maturity: how far agents, prompts and the project have come, as records show it."""
