"""A training on a GPU machine of which only files come back; see `experiments.gpu.__main__`."""
