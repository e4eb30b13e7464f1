"""What does a lesson say, what does it ask for, and when has a reader done it?"""

from pruneviz.lessons.assignment import Assignment, assign
from pruneviz.lessons.lesson import Lesson, LessonStep, Option, Question
from pruneviz.lessons.library import Library, library
from pruneviz.lessons.reader import LESSONS, read_lesson, read_lessons
from pruneviz.lessons.record import Record, advance
from pruneviz.lessons.situation import NAMES, situation

__all__ = (
    "LESSONS",
    "NAMES",
    "Assignment",
    "Lesson",
    "LessonStep",
    "Library",
    "Option",
    "Question",
    "Record",
    "advance",
    "assign",
    "library",
    "read_lesson",
    "read_lessons",
    "situation",
)
