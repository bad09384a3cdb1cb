"""The machine: its processors, load, memory, swap, disks and the files that the project's processes hold open."""
