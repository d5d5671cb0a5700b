"""Bench: recorded attacks and recorded work, put through the gate and the detectors; recorded
judges, held against the truth.
"""
