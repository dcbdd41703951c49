"""What `make bench` measures: every figure beside its reference, in the same run."""
