"""An experiment on disk: its events are the truth, everything else is a replay of them."""
