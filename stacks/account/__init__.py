"""What talks to an account: a look at it before a deployment, the deployment, and the proof after it."""
