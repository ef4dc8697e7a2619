"""From what a source hands over to rows a store takes: files, frames, columns, times, checks."""
