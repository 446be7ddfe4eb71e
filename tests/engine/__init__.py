"""Tests of the engine: sessions, workers, passes, features, the wire format."""
