"""The settings: one typed, frozen tree, with the source of every value.

``model`` says what there is, ``sources`` where values come from, and ``loading`` makes one of the other;
``problems`` says what cannot be used, ``example`` writes all of it down for people and editors.
"""
