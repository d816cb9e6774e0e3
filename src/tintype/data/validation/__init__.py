"""Which photos may teach, and proof that the data set is sound.

inspection and perceptual_hash look at one photo, duplicates and splits look across photos, validate makes the tables
and manifest keeps them. expectations and tensors say what must hold, as rules, and checkpoint asks Great Expectations
whether it does.
"""
