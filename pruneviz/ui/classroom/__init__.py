"""What does a class show to its students, and to its teacher?"""
