"""Metrics: how agents do and what waits, as numbers for whoever watches whole fleets of things."""
