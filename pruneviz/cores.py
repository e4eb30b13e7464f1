"""How does torch share the processor with the browser that shows its numbers?"""

import os

# Waiting OpenMP threads spin unless they are told not to. On two cores with a second busy process
# a calibration pass of the small transformer took 70 s so, and 3 s with this. It must be said
# before torch is first imported; whoever has set the variable keeps their choice.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
