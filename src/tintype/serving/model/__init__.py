"""Which model answers: where it is kept, how it is loaded and tried, and how a worker follows an alias."""
