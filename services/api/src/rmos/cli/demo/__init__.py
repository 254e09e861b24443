"""A small shop that works by itself, through the public REST API alone.

`shop` is what happens: `orders` pass through their `joblogs` at the machines, with wood from the `storeroom` (`stock`
is the arithmetic of its shelf), designs out of the `drawings`, `blades` that wear, and `dice` for chance. `worksheet`
is the numbers on a job log, `catalogue` what there is. `simulation` is the clock, `api` the way to the server,
`watcher` who looks on, `view` the terminal, `command` the `rmos demo` that ties them together.
"""
