"""Where does a network come from?"""
