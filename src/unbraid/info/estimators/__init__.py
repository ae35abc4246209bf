"""Estimators of mutual information: one question, many answers, each with its interval, its units and its limits."""
