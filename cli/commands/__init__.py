"""One module per group of commands; each function is a command and its docstring its help."""
