"""What do the names of the public face stand for?"""

from pruneviz.data import Data as Data
from pruneviz.measuring.counts import Counts as Counts
from pruneviz.measuring.evaluate import Evaluation as Evaluation
from pruneviz.measuring.ledger import Cost as Cost
from pruneviz.network.graph import trace as trace
from pruneviz.network.group_search import find_groups as find_groups
from pruneviz.network.groups import Group as Group
from pruneviz.network.groups import Groups as Groups
from pruneviz.network.layers import Layer as Layer
from pruneviz.network.layers import find_layers as find_layers
from pruneviz.plan import Plan as Plan
from pruneviz.pruning.criteria import CRITERIA as CRITERIA
from pruneviz.pruning.criteria import Criterion as Criterion
from pruneviz.pruning.criteria import criterion as criterion
from pruneviz.pruning.evidence import Evidence as Evidence
from pruneviz.pruning.evidence_pass import gather as gather
from pruneviz.pruning.prune import prune as prune
from pruneviz.pruning.pruned import Pruned as Pruned
from pruneviz.sources import Source as Source
from pruneviz.training import Trained as Trained
from pruneviz.training import Training as Training
from pruneviz.training import train as train
from pruneviz.workbench import Workbench as Workbench
from pruneviz.workbench.opening import open_workbench

open = open_workbench
