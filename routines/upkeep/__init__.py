"""What keeps the product running: retention, backup, re-encrypting tokens, checks at the start."""
