"""What providers tell later of what they took."""
