"""`python -m helm`: writes what the chart holds of other places: rules, dashboards, the values' schema, its README.

helm reads nothing outside of a chart, and packs no symlink as one: so the chart has copies, and a test that they are.
"""

from helm import readme, values_schema
from helm.paths import CHART, ROOT


def copies() -> dict[str, str]:
    """The files of `dashboards/`, by where the chart has them."""
    rules = {f"files/rules/{file.name}": file for file in sorted((ROOT / "dashboards/rules").glob("*.yaml"))}
    boards = {f"files/dashboards/{file.name}": file for file in sorted((ROOT / "dashboards").glob("*.json"))}
    return {place: file.read_text() for place, file in (rules | boards).items()}


def files() -> dict[str, str]:
    """What the files must hold."""
    return copies() | {"values.schema.json": values_schema.text(), "README.md": readme.text()}


def main() -> None:
    made = files()
    for folder in ("files/rules", "files/dashboards"):
        for old in (CHART / folder).glob("*"):
            if str(old.relative_to(CHART)) not in made:
                old.unlink()
    for place, text in made.items():
        (CHART / place).parent.mkdir(parents=True, exist_ok=True)
        (CHART / place).write_text(text)


if __name__ == "__main__":
    main()
