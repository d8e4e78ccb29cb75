"""From photos to patches and their units: Grad-CAM, the regions of its map, and the units ranked in each."""
