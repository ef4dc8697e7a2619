"""The engine: definitions in, one compiled loop out, the same machine code for history and for a live bar."""
