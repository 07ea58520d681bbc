"""What the hub knows of each site: its contacts, its own reports, its promises, and one honest word for its state."""
