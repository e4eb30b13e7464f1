"""How is a budget shared out, a layer scanned, a device fitted?"""
