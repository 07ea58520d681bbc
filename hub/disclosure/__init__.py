"""What other systems may harvest: the open entries, what was open once, and OAI-PMH."""
