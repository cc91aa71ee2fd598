#!/bin/sh
# Prints .env.example with every empty password and key filled with fresh random bytes:
#   sh deploy/make-env.sh > .env
set -eu
umask 077

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

random_hex() {
  od -An -N24 -tx1 /dev/urandom | tr -d ' \n'
}

random_base64() {
  head -c 32 /dev/urandom | base64 | tr -d '\n'
}

while IFS= read -r line; do
  case $line in
    YUANLU_MASTER_KEY= | YUANLU_LEDGER_KEY=) printf '%s%s\n' "$line" "$(random_base64)" ;;
    *_PASSWORD=) printf '%s%s\n' "$line" "$(random_hex)" ;;
    *) printf '%s\n' "$line" ;;
  esac
done <"$here/../.env.example"
