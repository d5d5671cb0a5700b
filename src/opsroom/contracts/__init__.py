"""Contracts: what an agent may touch, typed, tiered and versioned."""
