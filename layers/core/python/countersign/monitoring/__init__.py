"""What a model's world looked like when it was trained, and what has become of it. Pure, over arrays."""
