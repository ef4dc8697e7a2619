"""One reader a format: each knows its own files from their name and first bytes, and hands their rows over in batches."""
