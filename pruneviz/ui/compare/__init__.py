"""How are criteria set against each other?"""
