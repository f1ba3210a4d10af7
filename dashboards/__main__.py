"""`python -m dashboards`: writes overview.json and incident.json beside this file. Change the Python, not the JSON."""

import json
from pathlib import Path

from dashboards import incident, overview

FOLDER = Path(__file__).parent


def files() -> dict[Path, str]:
    """What the files must hold."""
    made = {"overview": overview.dashboard(), "incident": incident.dashboard()}
    return {FOLDER / f"{name}.json": json.dumps(model, indent=2) + "\n" for name, model in made.items()}


def main() -> None:
    for file, text in files().items():
        file.write_text(text)


if __name__ == "__main__":
    main()
