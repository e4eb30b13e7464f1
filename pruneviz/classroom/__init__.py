"""What may a class do at one server, and who has come how far?"""

from pruneviz.classroom.reader import read_class
from pruneviz.classroom.register import Register, Student
from pruneviz.classroom.rules import VARIABLE, ClassRules, current_rules

__all__ = ("VARIABLE", "ClassRules", "Register", "Student", "current_rules", "read_class")
