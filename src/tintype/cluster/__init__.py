"""Work on several machines: Ray, imported only where a cluster was asked for."""
