"""Where the photos come from: the sample in the repository, a folder of the user's own, Kaggle.

`fetch` puts all of a source's photos, or a subset of them, into one folder with a record of what they are.
"""
