"""Alerts: rules over what agents do, what they found, and who looks after it."""
