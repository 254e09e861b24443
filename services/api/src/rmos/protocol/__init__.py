"""The wire, without I/O: messages, frames, sessions and close codes. protocol/PROTOCOL.md is the law it follows."""
