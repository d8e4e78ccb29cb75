"""What draws: the widget of pictures and chips, galleries, tables, figures, panels, the style sheet."""
