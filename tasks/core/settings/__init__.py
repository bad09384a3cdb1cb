"""The settings: one typed, frozen tree, with the source of every value.

``model`` says what there is, ``sources`` where values come from, ``loading`` makes one of the other and
``example`` writes them down for people and editors.
"""
