"""Where bars are kept: the protocol, its twin in memory, and the folder of Delta tables."""
