"""Alphard: one scikit-learn model, compiled on publish, proven on load, served over HTTP."""
