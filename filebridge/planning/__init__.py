"""What is to be done, decided and not done. The planner is told what is known; it never asks. Pure."""
