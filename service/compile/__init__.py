"""Estimator to the fastest engine that answers as it does: graphs in float64, hard rows, parity."""
