"""What the keeper of a site answers for: its policy, and the log of who read what."""
