"""Prompts: what agents are told, as versions that are typed, linted and rendered safely."""
