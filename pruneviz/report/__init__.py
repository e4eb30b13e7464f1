"""What did somebody do, in one file that needs nothing else?"""

from pruneviz.report.content import report, write_report

__all__ = ["report", "write_report"]
