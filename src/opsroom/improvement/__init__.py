"""Improvement: better prompts and settings, found by search, and let in only through the gate."""
