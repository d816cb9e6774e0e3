"""How fast networks are trained, and how fast the input is: `python -m benchmarks.training --help`."""
