"""Benchmarks: commands of their own, with real servers that they start themselves."""
