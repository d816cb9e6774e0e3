"""A collection of photos from files to files: what `tintype colorize` plans, resumes, runs and writes."""
