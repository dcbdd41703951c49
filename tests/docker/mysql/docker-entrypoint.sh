#!/bin/bash
# What Podium relies on in the official image's script of this name: arguments that begin with a dash are
# mysqld's; the server runs as mysql; a first start makes the data, sets root's password and runs the start-up
# folder against a server without a network.
set -euo pipefail

[[ ${1:-} == -* ]] && set -- mysqld "$@"
[[ ${1:-} == mysqld ]] || exec "$@"

if [[ $(id -u) == 0 ]]; then
    chown mysql:mysql /var/lib/mysql /var/run/mysqld
    exec setpriv --reuid=mysql --regid=mysql --clear-groups -- bash "$0" "$@"
fi

docker_process_sql() {
    MYSQL_PWD=$MYSQL_ROOT_PASSWORD mysql --user=root --comments "$@"
}

first_start() {
    local server file
    "$@" --initialize-insecure
    "$@" --skip-networking --mysqlx=OFF &
    server=$!
    until mysqladmin --user=root ping --silent 2> /dev/null; do
        kill -0 $server
        sleep 0.1 # Nothing tells when it begins to listen.
    done
    MYSQL_ROOT_PASSWORD='' docker_process_sql <<SQL
ALTER USER root@localhost IDENTIFIED BY '${MYSQL_ROOT_PASSWORD:?}';
CREATE USER root@'%' IDENTIFIED BY '$MYSQL_ROOT_PASSWORD';
GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;
SQL
    for file in /docker-entrypoint-initdb.d/*; do
        case $file in
            *.sh) if [[ -x $file ]]; then "$file"; else . "$file"; fi ;;
            *.sql) docker_process_sql < "$file" ;;
        esac
    done
    MYSQL_PWD=$MYSQL_ROOT_PASSWORD mysqladmin --user=root shutdown
    wait $server
}

[[ -d /var/lib/mysql/mysql ]] || first_start "$@"
exec "$@"
