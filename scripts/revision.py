"""``make revision NAME="Moods of tasks"``: drafts a revision from what the models have and the newest schema has not.

It compares with SQLite, which has every table and index. Triggers and functions are made of SQL and not compared. The
draft must be read and corrected by the rules of docs/upgrading.md.
"""

import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine

from taskwell import migrations
from taskwell.database.sqlite import connect

VERSIONS = migrations.SCRIPTS / "versions"


def draft(name: str, connection: Connection, folder: Path = VERSIONS) -> Path:
    """Writes the next revision, from the schema that the connection's database has to that of the models."""
    config = Config()
    config.set_main_option("script_location", str(migrations.SCRIPTS))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(map(str, {VERSIONS, folder})))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    number = f"{int(migrations.head()) + 1:04}"
    command.revision(config, name, autogenerate=True, rev_id=number, version_path=str(folder))
    (path,) = folder.glob(f"{number}_*.py")
    ruff = [sys.executable, "-m", "ruff"]
    for tidy in (["check", "--fix", "-q", "--extend-select", "I,F"], ["format", "-q"]):
        subprocess.run([*ruff, *tidy, str(path)], check=False)  # noqa: S603
    return path


def main(name: str) -> None:
    if not name:
        raise SystemExit('NAME says what the revision is about: make revision NAME="Moods of tasks"')
    with tempfile.TemporaryDirectory() as folder, closing(connect(Path(folder, "head.db"))) as opened:
        engine = create_engine("sqlite://", creator=lambda: opened)
        with engine.connect() as connection:
            migrations._run(connection, "upgrade", "head")  # noqa: SLF001
            draft(name, connection)


if __name__ == "__main__":
    main(sys.argv[1])
