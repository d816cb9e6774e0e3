"""What a file says beside its pixels: EXIF, XMP, IPTC, and what of it goes along into another file."""
