"""How is a network trained while one watches?"""
