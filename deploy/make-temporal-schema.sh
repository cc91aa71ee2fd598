#!/bin/sh
# Brings Temporal's two schemas up to the version that the image of this job carries. It runs at
# every start and before an upgraded server does: a schema that is current is left alone.
set -eu

for pair in temporal:temporal temporal_visibility:visibility; do
  database=${pair%%:*}
  schema=${pair##*:}
  set -- --plugin postgres12_pgx --ep "$SQL_HOST" -p "$SQL_PORT" -u "$SQL_USER" --db "$database"
  # The tool prints every statement; they are of interest only where one of them failed.
  if ! { temporal-sql-tool "$@" setup-schema -v 0.0 &&
    temporal-sql-tool "$@" update-schema --schema-name "postgresql/v12/$schema"; } \
    >/tmp/schema.log 2>&1; then
    tail -n 40 /tmp/schema.log >&2
    echo "The schema of the database $database could not be made." >&2
    exit 1
  fi
  echo "The schema of the database $database is current."
done
