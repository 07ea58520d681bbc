"""What tables look like in a database: so that migrations and the declared tables can be compared."""

from pathlib import Path

from sqlalchemy import MetaData, create_engine, inspect

from replication.migrations import migrate


def shape_of(metadata: MetaData, schema: tuple[str, Path] | None) -> dict[str, object]:
    """Columns, keys and indexes of tables: as the migrations of a schema make them, or as they are declared."""
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        if schema is not None:
            migrate(connection, [schema])
        else:
            metadata.create_all(connection)
        found = inspect(connection)
        made = {
            name: (
                [
                    (one["name"], str(one["type"]).replace("BIGINT", "INTEGER"), one["nullable"])
                    for one in found.get_columns(name)
                ],
                found.get_pk_constraint(name)["constrained_columns"],
                sorted((str(one["name"]), tuple(one["column_names"])) for one in found.get_indexes(name)),
            )
            for name in sorted(metadata.tables)
        }
    engine.dispose()
    return {**made}
