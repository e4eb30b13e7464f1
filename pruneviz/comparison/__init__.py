"""Which criterion, or which plan, is better?"""
