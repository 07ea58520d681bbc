"""What is needed to run Danglian: unit files, configurations, and the demonstration county."""
