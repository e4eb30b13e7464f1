"""What is kept, in memory and on disk?"""
