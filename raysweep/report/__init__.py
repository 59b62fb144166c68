"""The page that compares trials: what it says, what it draws, and how it is laid out."""
