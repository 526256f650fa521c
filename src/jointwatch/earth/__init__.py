"""The Earth: frames, gravity, air, and places on it."""
