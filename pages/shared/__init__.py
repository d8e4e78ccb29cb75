"""What the pages share. Imports point down: router, view, controls, backend, wording, page_list."""
