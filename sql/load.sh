#!/usr/bin/env bash
# Loads Podium's schema and procedures, and enters each file in the ledger that `db upgrade` goes on from. A database
# of another release is refused: it may need migrations, which are `db upgrade`'s.
#
#   bash sql/load.sh --user=root --password   with the mysql client; all arguments are its own
#
# In the official image, mounted as /docker-entrypoint-initdb.d/podium.sh, it is sourced at the first start: the
# image's own function feeds the server, and PODIUM_SQL says where this folder is mounted. The image sources only
# what has no run bit, so this file has none.

podium_files() {
    local release path
    release=$(<RELEASE)
    # The third file makes the ledger that the first three are then entered in.
    cat schema/00*.sql
    # Parameters of routines have the character set of the session's database, else the server's.
    echo 'USE podium;'
    podium_guard "$release"
    podium_entries "$release" schema/00*.sql
    for path in schema/0[1-9]*.sql seed/*.sql procedures/*.sql triggers/*.sql grants.sql; do
        cat "$path"
        podium_entries "$release" "$path"
    done
    # A new database is built from schema/, which is what all migrations lead to.
    podium_entries "$release" migrations/*.sql
}

podium_guard() {
    # The client prints the name of the constraint, and stops.
    cat <<SQL
CREATE TEMPORARY TABLE podium.release_guard (
    others INT NOT NULL PRIMARY KEY,
    CONSTRAINT \`a database of another release: flask --app gateway db upgrade\` CHECK (others = 0)
);
INSERT INTO podium.release_guard (others)
SELECT COUNT(*) FROM podium.schema_files WHERE release_no <> '$1';
DROP TEMPORARY TABLE podium.release_guard;
SQL
}

podium_entries() {
    local release=$1 path
    shift
    for path in "$@"; do
        [[ -e $path ]] || continue
        printf "REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)\nVALUES ('%s', '%s', '%s', UTC_TIMESTAMP(6));\n" \
            "$path" "$(sha256sum < "$path" | cut -c1-64)" "$release"
    done
}

podium_load() {
    local sql=$1
    shift
    (cd "$sql" && podium_files) | "$@"
}

if [[ $(type -t docker_process_sql) == function ]]; then
    podium_load "${PODIUM_SQL:-/podium/sql}" docker_process_sql --database=mysql
else
    set -euo pipefail
    podium_load "$(dirname "${BASH_SOURCE[0]}")" mysql "$@"
fi
