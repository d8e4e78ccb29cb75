"""Photos to patches: Grad-CAM, regions of its map, and the units that matter in each."""
