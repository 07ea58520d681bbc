"""What is wrong although nobody says so: silence, stalls, refused keys, what is overdue; health, and figures."""
