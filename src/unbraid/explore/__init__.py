"""The web page on which people look at representations."""
