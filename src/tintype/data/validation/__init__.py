"""Which photos may teach, and proof that the data set is sound.

inspection and perceptual_hash look at one photo; duplicates and splits look across photos; manifest
keeps the table; expectations and tensors say what must hold, and checkpoint asks Great Expectations whether it does.
"""
