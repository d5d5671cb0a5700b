"""Adapters: the engines of others behind our own Protocols."""
