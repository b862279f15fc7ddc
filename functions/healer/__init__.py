"""The healer: a reconciler that takes one step per run.

    event -> wake -> observe -> decide -> execute

`decide` is a pure function and contains the logic. The other steps do the I/O.
"""
