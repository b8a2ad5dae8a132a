"""The command line: parse arguments, print, nothing else. One file a command."""
