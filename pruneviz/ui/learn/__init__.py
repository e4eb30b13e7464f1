"""How does a person learn to prune, at the real workbench?"""
