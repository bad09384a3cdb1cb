"""Security: secrets in files that Git tracks, ``.env`` out of Git, and keys that their owner alone can read."""
