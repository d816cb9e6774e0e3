"""A short stage after the fit in which a critic teaches the network what gives a colouring away.

After NoGAN (J. Antic, DeOldify, 2019, https://github.com/jantic/DeOldify): the network is fitted without a critic; the
critic learns to tell its colours from the photos' own; only then the two learn from each other, for so short a time
that the network gets the good of it and not the artefacts. Where to stop, which DeOldify finds by eye, is decided here
by validation photos; a network that did not get better stays as it was.

`steps` has the steps of critic and network, `validation_score` judges the colours, `stage` runs them.
"""
