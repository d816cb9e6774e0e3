"""Photos as a dataset."""
