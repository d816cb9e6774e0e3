"""Work on several machines: Ray, imported only where somebody asked for it."""
