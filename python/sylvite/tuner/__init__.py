"""Tunes schedules: measures candidates of knobs against the default and records what wins."""
