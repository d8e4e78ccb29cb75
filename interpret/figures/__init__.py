"""Figures and galleries: Plotly charts, patch tiles, colours, and the PNG of the command line."""
