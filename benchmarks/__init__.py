"""Speed, measured: each script prints its figures and what it measured them against."""
