"""What leaves pruneviz as files, each proved by loading it back?"""

from pruneviz.export.bundle import ExportResult, FormatResult, export, stem
from pruneviz.export.formats import DEFAULT, FORMATS, Format

__all__ = ["DEFAULT", "FORMATS", "ExportResult", "Format", "FormatResult", "export", "stem"]
