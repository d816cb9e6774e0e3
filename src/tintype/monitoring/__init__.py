"""Watching a service by its records: days, drift, alarms, and a report."""
