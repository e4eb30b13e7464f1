"""How does one look at what was tried before?"""
