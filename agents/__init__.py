"""Agents that choose passes: search here without torch, learning in the other modules."""
