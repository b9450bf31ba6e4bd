"""One file per verb: the only place where layers are joined."""
