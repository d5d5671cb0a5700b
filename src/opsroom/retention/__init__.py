"""Retention: how long what agents did is kept, what is held for a case, and erasing people."""
