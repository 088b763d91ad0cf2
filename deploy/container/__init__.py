"""What only containers need: reading secrets from files, and making them for a first try."""
