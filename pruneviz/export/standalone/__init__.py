"""Which programs go along with the files, to be run where pruneviz is not?"""
