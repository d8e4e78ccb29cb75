"""What is chosen: the address (URL), the open study, thresholds, menus, the form of a new study."""
