"""What speed costs and what it buys: whole processes against each other, as ratios within one run."""
