"""A photo file's bytes to upright sRGB pixels."""
