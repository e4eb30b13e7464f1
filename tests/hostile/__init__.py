"""Does any file that was made to do harm run code, end in a trace, or take what is not its own?"""
