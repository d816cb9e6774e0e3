"""Odd and broken files and uploads of our own making, and what must come of each.

Nothing here is taken from anywhere: every byte is computed, so the same corpus comes out on every machine. `FILES` are
photos and what pretends to be one, `KINDS` one of them for each format and what may come of it; `REQUESTS` are ways to
send a good photo, or something else, to the service.
"""

from corpus import bmp_gif, jpeg, jpeg_broken, lies, modern, png, png_broken, shapes, tiff, tiff_broken, wire
from corpus.case import FileCase, files, kinds
from corpus.requests import REQUESTS, Request
from corpus.wire import Answer, send

MODULES = (jpeg, jpeg_broken, png, png_broken, tiff, tiff_broken, modern, bmp_gif, shapes, lies)
FILES = files(*MODULES)
KINDS = kinds(FILES)

__all__ = ["FILES", "KINDS", "REQUESTS", "Answer", "FileCase", "Request", "jpeg", "send", "wire"]
