"""Grounding: where the values of an action's arguments come from."""
