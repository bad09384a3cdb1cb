"""How names, numbers and addresses are written for people."""
