"""The healer: a reconciler that takes one step a run.

    event -> wake -> observe -> decide -> execute

`decide` is the heart, pure; the rest is I/O at the edges.
"""
