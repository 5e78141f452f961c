"""Templates as their authors keep them."""
