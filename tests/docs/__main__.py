"""`python -m tests.docs`: writes the pages that are made from something else."""

from tests.docs import fields


def main() -> None:
    """Writes docs/fields.md."""
    fields.PAGE.write_text(fields.page(), encoding="utf-8")


if __name__ == "__main__":
    main()
