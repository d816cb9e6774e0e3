"""Tintype."""
