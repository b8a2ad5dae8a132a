"""What is traded: the fields of each document type, and the rules across rows. Pure."""
