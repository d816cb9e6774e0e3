"""What the service records of the photos it has coloured, for people who watch over it."""
