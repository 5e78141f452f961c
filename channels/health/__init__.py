"""What is done alike for every provider."""
