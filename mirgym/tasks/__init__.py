"""Benchmark tasks that are made here: data sets with known answers."""
