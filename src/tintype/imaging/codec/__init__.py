"""Files of photos: bytes to planes and back, format by format; reached through `tintype.imaging.photo`."""
