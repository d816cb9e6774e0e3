"""Watching a service by what it wrote down: days, drift, alarms, and a report."""
