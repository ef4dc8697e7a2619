"""The commands of `feature-store`, a file for each kind of work; `cli` puts them together."""
