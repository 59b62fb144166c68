"""The one border: nothing below this package imports Ray."""
