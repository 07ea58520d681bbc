"""The published test set of search quality: a fictitious catalogue, reviewed questions, and what each must find."""
