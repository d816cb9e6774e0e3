"""Serving: the only importer of bentoml."""
