"""One training on several workers: `job` is what each of them does, `launch` starts them on a Ray cluster."""
