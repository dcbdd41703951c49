"""Hostile input: what the fuzzers of tests/test_fuzz_*.py send."""
