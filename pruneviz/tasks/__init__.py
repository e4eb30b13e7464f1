"""What is a right answer?"""

from pruneviz.tasks.forms import Signs as Signs
from pruneviz.tasks.forms import signs_of as signs_of
from pruneviz.tasks.table import CLASSES as CLASSES
from pruneviz.tasks.task import COMPARISONS as COMPARISONS
from pruneviz.tasks.task import TASKS as TASKS
from pruneviz.tasks.task import Task as Task
from pruneviz.tasks.task_choice import task_for as task_for
