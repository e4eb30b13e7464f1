"""What does the person at the screen see and do?"""
