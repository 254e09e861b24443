"""The cases of the Autobahn test suite for WebSockets, against RMOS' own connection: `python -m soak.autobahn`.

Autobahn's own program needs Python 2. So its published cases are written anew here, under their numbers: families 1 to
7, 9 and 10. Families 12 and 13 are about compression, which the server never negotiates. Numbers that Autobahn leaves
out (8, 11, 7.2, 9.9 …) are left out as well.

`echo` is the peer that the cases want: the server's connection, with an echo in place of the monitor. `engine` plays
one case and judges it. `cases`, `utf8` and `limits` are the cases.
"""
