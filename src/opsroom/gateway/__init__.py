"""Gateway: doors through which agents in other programs act."""
