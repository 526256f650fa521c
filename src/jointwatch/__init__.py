"""Jointwatch: one missile-warning picture, two partners.

Detection, tracking, warning and review of missile and rocket fire by partners who each run a node
beside their own sensors.  Nothing here computes anything for shooting back.
"""

__version__ = "0.1.0"
