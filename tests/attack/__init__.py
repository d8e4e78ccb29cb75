"""An attack on the studies: damaged files, killed processes and full disks; `python -m tests.attack --help`."""
