"""The area *architecture*: expected places, import cycles, oversized modules and components that nothing uses.

Nothing of the project is imported or executed, and nothing is written into it: its imports are read by grimp, in
a process of its own, from a copy in a temporary folder.
"""
