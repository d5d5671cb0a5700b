"""Bench: recorded attacks and recorded work, replayed through the gate."""
