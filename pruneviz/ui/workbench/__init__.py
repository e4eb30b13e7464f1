"""What stands around the board on the page where one prunes by hand?"""
