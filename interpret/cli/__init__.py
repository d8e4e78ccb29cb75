"""The command line, a file a command. It prints; the library that it calls does not."""
