"""A small shop that works by itself, through the public REST API alone.

`simulation` is the clock, `api` the way to the server, `catalogue` what there is, `shop` what happens, `view` the
terminal, `command` the `rmos demo` that ties them together.
"""
