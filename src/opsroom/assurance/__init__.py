"""Assurance: what auditors ask for, answered by queries over what happened. Never a checklist."""
