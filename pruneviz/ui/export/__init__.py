"""How do files and a report leave the page?"""
