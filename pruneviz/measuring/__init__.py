"""What does a plan cost?"""
