"""Remembering: the only importer of mlflow."""
