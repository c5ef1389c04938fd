"""What people pick today: how each peer serves ``model.joblib``, run by the Python of an environment of its own."""
