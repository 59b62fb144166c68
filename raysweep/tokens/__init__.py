"""Footage as codes in Parquet files: what a generative model trains on. docs/tokens.md has the format."""
