"""The peak of memory of every stage, at two numbers of photos: `python -m experiments.memory`.

`photos` makes as many photos as are asked for out of the sample, `project` gives each number a project of its own in a
temporary folder, and `peak` runs the stages' own commands there and looks at their processes.
"""
