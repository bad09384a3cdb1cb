"""Performance: a few benchmarks of our own, kept with the machine that they were made on."""
