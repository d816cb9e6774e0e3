"""What can be measured of a photo alone: no truth to compare with, and nothing but NumPy and OpenCV."""
