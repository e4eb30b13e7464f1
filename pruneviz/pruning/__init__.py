"""What is cut, and how?"""
