"""Our answers to a file: the receipt, the reject file, and the page that says how things stand."""
