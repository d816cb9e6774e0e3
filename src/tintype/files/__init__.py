"""Bytes on disk and over the wire."""
