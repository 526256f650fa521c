"""Motion: the flight phases, and how a state and its covariance move with time."""
