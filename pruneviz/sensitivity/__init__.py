"""What does each slider cost, moved alone?"""
