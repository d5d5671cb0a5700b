"""Detectors: does a text give orders, carry secrets, or smuggle data out? Pure, no I/O."""
