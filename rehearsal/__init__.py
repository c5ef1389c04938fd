"""The deployment, rehearsed on one machine: what was deployed drives real processes behind a real load balancer."""
