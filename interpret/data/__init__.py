"""Photos and what is known of them: files, sets of photos, class names, preprocessing, downloads."""
