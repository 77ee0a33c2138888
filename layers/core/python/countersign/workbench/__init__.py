"""A model trained at a desk: from files to a run folder, with search and tracking, without any cloud."""
