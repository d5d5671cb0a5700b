"""Backups of an installation: made while it serves, put back on an empty machine, verified."""
