"""The command line, a file for each group of commands. It prints; the library that it calls does not."""
