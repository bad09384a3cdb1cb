"""Backups that another program keeps or that the user copies elsewhere: verified, and counted as media."""
