"""One module a suite; each has a `run(bench)` that returns its results, and says in its docstring what it compares."""
