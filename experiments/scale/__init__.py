"""Where the data path breaks as photos become many: `python -m experiments.scale`, with its results in docs/scale.md.

Rows of a manifest are made up (`rows`) and go through what `validate` and the tensors do with rows, as the stages do it
(`today`). Each step is a process of its own, so that its peak of memory is its own.
"""
