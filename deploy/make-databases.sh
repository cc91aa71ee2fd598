#!/bin/sh
# Makes the roles and databases that Temporal and Yuanlu own in the PostgreSQL server of
# docker-compose.yml. It runs at every start: what exists is kept, and passwords follow .env.
# The roles yuanlu_api and yuanlu_worker are made by `yuanlu migrate`.
set -eu

# Passwords are read from the environment, so that no process list shows them.
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --dbname postgres <<'SQL'
\getenv temporal_password TEMPORAL_DB_PASSWORD
\getenv owner_password YUANLU_OWNER_PASSWORD

select 'create role temporal' where not exists
  (select from pg_roles where rolname = 'temporal') \gexec
alter role temporal login password :'temporal_password';

-- Making roles is all the owner may do beyond its own database; it is no superuser.
select 'create role yuanlu_owner' where not exists
  (select from pg_roles where rolname = 'yuanlu_owner') \gexec
alter role yuanlu_owner login createrole password :'owner_password';

select format('create database %I owner %I', wanted.name, wanted.owner)
from (values
  ('temporal', 'temporal'),
  ('temporal_visibility', 'temporal'),
  ('yuanlu', 'yuanlu_owner')
) as wanted (name, owner)
where not exists (select from pg_database where datname = wanted.name) \gexec
SQL

echo 'The databases temporal, temporal_visibility and yuanlu are there.'
