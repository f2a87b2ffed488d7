"""Where student code runs: in a bubblewrap sandbox, within limits, with nothing of anybody else's."""
