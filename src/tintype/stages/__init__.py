"""A main for each DVC stage, run as `python -m tintype.stages.NAME`."""
