"""Which pages does the app have?"""

from pathlib import Path

# Where they lie, not where the app was started from: an installed app.py stands elsewhere.
FOLDER = Path(__file__).parent
WORKBENCH = FOLDER / "workbench.py"
