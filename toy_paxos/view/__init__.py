"""Stories in, text out: words, lines, pictures in characters, and files.

A view shows events, whichever source told them; it runs no actors and writes nothing.
"""
