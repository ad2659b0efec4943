"""Stories in, text out: words, lines, diagrams in characters, and files.

A view returns text for events, whichever source they come from. It runs no actors and writes nothing.
"""
