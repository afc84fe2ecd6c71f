"""Benchmarks: each beside a peer or the naive way, in one run."""
