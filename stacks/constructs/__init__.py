"""What the stacks are composed of; constructs take narrow values, never the settings."""
