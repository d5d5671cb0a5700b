"""Channels: telling people, where they are, what happened."""
