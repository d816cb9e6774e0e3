"""A photo as numbers."""
