"""From a frozen dataset to a judged, exported candidate."""
