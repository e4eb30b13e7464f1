"""Which pages does the app have?"""

from pathlib import Path

from pruneviz.classroom import current_rules

# Where they lie, not where the app was started from: an installed app.py stands elsewhere.
FOLDER = Path(__file__).parent
WORKBENCH = FOLDER / "workbench.py"
TEACHER = "Teacher"  # the title of the page that only a class has
# Title -> file and icon, in the order of the bar on top.
PAGES = {
    "Workbench": (WORKBENCH, "tune"),
    "Learn": (FOLDER / "learn.py", "school"),
    "Sensitivity": (FOLDER / "sensitivity.py", "monitoring"),
    "Criteria": (FOLDER / "criteria.py", "compare_arrows"),
    "Small devices": (FOLDER / "devices.py", "memory"),
    "Train": (FOLDER / "train.py", "model_training"),
    "History": (FOLDER / "history.py", "history"),
    "Export": (FOLDER / "export.py", "inventory_2"),
    "Manual": (FOLDER / "manual.py", "menu_book"),
}


def offered_pages() -> dict[str, tuple[Path, str]]:
    """Those of this app, or of the class that it serves."""
    rules = current_rules()
    if rules is None:
        return PAGES
    pages = {title: PAGES[title] for title in PAGES if rules.allows_page(title)}
    return {**pages, TEACHER: (FOLDER / "teacher.py", "co_present")}
