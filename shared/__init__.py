"""Contracts and plumbing that every service uses; never a rule about cases."""
