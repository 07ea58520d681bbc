"""What is wrong although nobody says so: silence, stalls, refused keys and what is overdue; alarms, health and figures for monitors."""
