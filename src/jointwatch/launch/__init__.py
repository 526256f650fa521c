"""Where an object came from and what it is: class, launch area, and origin as a place, never an actor."""
