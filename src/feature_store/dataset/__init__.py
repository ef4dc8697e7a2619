"""Point-in-time joins: for each event the features as they were known then, and a manifest that rebuilds them."""
