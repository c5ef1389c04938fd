"""The infrastructure: one module a stack, the constructs beneath, and the settings of an environment."""
