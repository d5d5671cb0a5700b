"""Security events: what detectors and the gate saw of attempts on agents."""
