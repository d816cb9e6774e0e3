"""Where the data path breaks as photos become many: `python -m benchmarks.scale`, told in docs/scale.md.

Rows of a manifest are made up (`rows`), a hundred million of them if need be, and go through what `validate` and the
tensors do with rows: as the stages do it today (`today`), in memory, and as a stream of buckets (`streamed`). Each step
is a process of its own, so that its peak of memory is its own.
"""
