"""`python -m feature_store` is `feature-store`."""

from feature_store.cli import main

main()
