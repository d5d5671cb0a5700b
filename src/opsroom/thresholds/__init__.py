"""Thresholds: may an agent's confidence be trusted, and from which on may it act alone?"""
