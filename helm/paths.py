"""Where the chart is."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
CHART: Final = ROOT / "helm" / "freezeframe"
