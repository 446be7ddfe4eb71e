"""Slow, plain Python versions of what the engine computes: the oracles of its tests."""
