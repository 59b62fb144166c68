"""How trials begin, one after another."""
