"""Evals: judging versions on datasets, and the gate that rests on it."""
