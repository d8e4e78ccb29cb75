"""Which internal units of an image classifier carry which classes: the library behind the dashboard."""
