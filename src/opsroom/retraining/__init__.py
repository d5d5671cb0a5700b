"""Retraining: which agents should be made better, why, and how far that has come."""
