"""Callbacks: each a short file."""
