"""What travels between sites: pure values and the rules to read them, without any input or output."""
