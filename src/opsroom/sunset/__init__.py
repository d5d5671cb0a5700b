"""Sunset: how agents end, provably, and which of them linger."""
