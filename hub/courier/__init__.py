"""Sites that no line reaches: what their couriers bring, and what goes back on the stick."""
