"""Coding: what coding agents may look up here and propose, and the documentation as they read it."""
