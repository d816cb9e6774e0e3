"""The study: recipes compared under one budget, on the same photos, with three seeds each.

It goes on where it was interrupted: a recipe and seed whose result lies in reports/study with the same
parameters and photos is not run again. `make study` runs what is missing and writes docs/quality.md.

`recipes` says what is compared, `workshop` keeps clones of the project to run it in, `experiment` runs one training as
a DVC experiment, `judge` judges its bundle, `record` keeps the result; `report` makes the page of all of them.
"""
