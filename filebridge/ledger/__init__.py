"""The ledger: what happened. A module for each thing remembered; SQL stands nowhere else."""
