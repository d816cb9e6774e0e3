"""Judging: how near the colours come to the truth, and whether they are colours at all."""
