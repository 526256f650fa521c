"""Sensors: how they measure, what they can see, and what they looked at."""
