"""Which small trained networks come along, so that pruning can be seen at once?"""
