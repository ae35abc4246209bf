"""Runs: train, evaluate, draw, cite; each run is a folder that holds one fitted model and everything about it."""
