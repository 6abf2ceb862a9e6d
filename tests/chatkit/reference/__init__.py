"""The server that ours is held to: the ChatKit package's own, in memory."""
