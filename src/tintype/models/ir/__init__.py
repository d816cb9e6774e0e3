"""OpenVINO's IR of a bundle's networks: what colours on a CPU without Keras, whose import alone takes seconds.

An IR is the graph as XML and its constants as bytes. Here the weights are not written a second time: the XML points
into the bundle's `.keras` file, which keeps them as plain arrays, and a small `.bin` holds the rest. So both ways to
colour compute with the same weights, and a bundle hardly grows. `python -m tintype.models.ir FOLDER` adds the IR to a
bundle from before there was one.
"""
