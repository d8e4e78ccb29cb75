"""Figures: Plotly charts, pictures of patches, colours, and the accuracy curves as an image file."""
