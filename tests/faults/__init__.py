"""What breaks Podium's surroundings under load, and the load."""
