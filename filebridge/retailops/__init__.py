"""RetailOps: what is said on the wire (`wire`, pure) and how it gets there (`client`)."""
