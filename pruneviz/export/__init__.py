"""What leaves pruneviz as files, each proved by loading it back?"""

from pruneviz.export.exporting import Exported, Written, export, stem
from pruneviz.export.formats import DEFAULT, FORMATS, Format

__all__ = ["DEFAULT", "FORMATS", "Exported", "Format", "Written", "export", "stem"]
