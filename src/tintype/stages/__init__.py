"""The doors: a main for each DVC stage."""
