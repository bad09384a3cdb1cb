"""One reader of logs for every procedure: sources of bytes, level words, records, windows of time."""
