"""What the service takes down of the photos that it coloured, for people who watch it."""
