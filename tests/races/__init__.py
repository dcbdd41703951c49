"""Races as data: spec.py reads the files, runner.py plays them, *.spec are the races."""
