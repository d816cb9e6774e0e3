"""Photo files as people keep them: what they say beside the pixels, and how they are written."""
