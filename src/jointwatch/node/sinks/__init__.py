"""Where a node's alerts go: files, a feed and webhooks, each for live or for an exercise, never for both."""
