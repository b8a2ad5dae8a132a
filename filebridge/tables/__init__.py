"""Bytes to tables: text columns that know their rows. Tables are handed streams, they open no paths."""
