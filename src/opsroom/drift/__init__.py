"""Drift: whether what agents are asked, and what they do, is still what it was."""
