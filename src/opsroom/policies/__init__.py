"""Policies: what agents must obey, as Cedar text that people can read."""
