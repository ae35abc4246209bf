"""``python -m unbraid`` is ``unbraid``."""

from unbraid.cli.main import main

__all__: list[str] = []

if __name__ == "__main__":
    main()
