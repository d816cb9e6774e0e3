"""The registry loop from end to end: trained, compared, promoted in the browser, packed, served, traced, taken back.

`python -m benchmarks.loop`, or `make loop`, in a fresh clone.
"""
