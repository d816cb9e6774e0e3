"""What was found out once and can be found out again: each by a command of its own.

The study of recipes (docs/quality.md), rows and memory at scale (docs/scale.md), what Ray costs, the gate's bad
challengers, and the service with a worker killed. Figures are kept in benchmarks/results and reports/study.
"""
