"""A picture of what the model will see."""
