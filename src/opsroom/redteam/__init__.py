"""Attacks and edge cases: made from what is known, put to versions, counted, and rehearsed."""
